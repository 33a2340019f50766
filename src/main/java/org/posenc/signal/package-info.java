/**
 * Signals sampled on grids or at scattered points: their files, how well they are fitted, and fits
 * in closed form. It knows the models and what is below them.
 */
package org.posenc.signal;
