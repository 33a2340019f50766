/**
 * Experiments: what is trained, on what, and what is measured of it. {@link
 * org.posenc.experiment.Comparison} is the main job.
 */
package org.posenc.experiment;
