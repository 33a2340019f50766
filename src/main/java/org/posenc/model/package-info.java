/**
 * The models that encodings are used in: {@link org.posenc.model.Transformer}, decoder and encoder,
 * and {@link org.posenc.model.CoordinateMlp}. {@link org.posenc.model.SwappedEncoder} and {@link
 * org.posenc.model.SwappedBert} take over DJL's own models.
 */
package org.posenc.model;
