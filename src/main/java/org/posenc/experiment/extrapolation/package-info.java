/**
 * How encodings read contexts longer than those they were trained on: the experiment behind {@code
 * posenc extrapolate}.
 */
package org.posenc.experiment.extrapolation;
