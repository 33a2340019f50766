/**
 * Fits a signal of any kind with coordinate networks, in closed form or by training, and shows how
 * well, beside the signal itself.
 */
package org.posenc.experiment.fitting;
