/**
 * Training by DJL's own idioms where DJL's own pieces are wrong or slow: a trainer, an optimizer, a
 * loss, a learning rate and datasets of token windows, each usable with the rest of DJL.
 */
package org.posenc.training;
