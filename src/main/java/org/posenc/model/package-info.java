/**
 * The models that encodings are used in: {@link org.posenc.model.Transformer}, decoder and encoder,
 * and {@link org.posenc.model.CoordinateMlp}.
 */
package org.posenc.model;
