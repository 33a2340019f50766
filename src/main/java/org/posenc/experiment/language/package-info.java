/**
 * What is done with a language model that is there: logits, perplexity, text that is stopped at a
 * word.
 */
package org.posenc.experiment.language;
