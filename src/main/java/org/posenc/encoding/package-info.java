/**
 * Positional encodings as DJL blocks. {@link org.posenc.encoding.PositionalEncoding} says how one
 * acts on a Transformer, {@link org.posenc.encoding.PositionFeatures} what a coordinate network
 * takes; one file an encoding, and {@link org.posenc.encoding.Encodings} knows them by name.
 */
package org.posenc.encoding;
