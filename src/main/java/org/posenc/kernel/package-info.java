/**
 * The few fused operations that DJL does not expose, as TorchScript text that {@link
 * org.posenc.kernel.TorchScript} turns into callables: attention, rotation, normalisation, gates,
 * singular values, differentiable casts, cross entropy. The only room that names {@code
 * ai.djl.pytorch}.
 */
package org.posenc.kernel;
