/**
 * Multi-head attention over the three seams of {@link org.posenc.encoding.PositionalEncoding}, with
 * explicit positions, explicit masks and a visible place for a key/value cache. It knows no
 * encoding by name. {@link org.posenc.attention.SwappedAttention} takes over DJL's own block.
 */
package org.posenc.attention;
