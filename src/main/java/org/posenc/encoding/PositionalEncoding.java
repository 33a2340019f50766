package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;

/**
 * Something that tells a Transformer where its tokens are.
 *
 * <p>There are three places ("seams") where positions can act on a Transformer: at the embeddings,
 * on queries and keys, and on the attention scores. Each is a method here that changes nothing
 * unless an encoding overrides it. A model calls all of them and knows no encoding by name; the
 * easiest way to write one's own is to extend {@link EncodingBlock} and override one.
 *
 * <p>Letters in the shapes: B batch, T queries, S keys, E embedding size, H heads, D head
 * dimension.
 */
public interface PositionalEncoding extends Block {

    /**
     * The embed seam: gives the token features their positions, once, before the first layer.
     *
     * @param tokens (B, T, E)
     * @param positions (T) or (B, T)
     * @param parameters gives this block's parameters on the right device
     * @param training whether the pass trains
     * @return (B, T, E), in the tokens' type
     */
    default NDArray embed(
            NDArray tokens, Positions positions, ParameterStore parameters, boolean training) {
        return tokens;
    }

    /**
     * The rotate seam for queries: transforms them before the scores are taken. It may depend on
     * content and may change the last axis, as long as {@link #rotateKeys} does the same.
     *
     * @param queries (B, H, T, D)
     * @param positions the queries' positions, (T) or (B, T)
     * @param context the layer
     * @return (B, H, T, D)
     */
    default NDArray rotateQueries(NDArray queries, Positions positions, LayerContext context) {
        return queries;
    }

    /**
     * The rotate seam for keys.
     *
     * @param keys (B, G, S, D), G ≤ H where query heads share keys
     * @param positions the keys' positions, (S) or (B, S)
     * @param context the layer
     * @return (B, G, S, D)
     */
    default NDArray rotateKeys(NDArray keys, Positions positions, LayerContext context) {
        return keys;
    }

    /**
     * The bias seam: what is added to the scaled scores.
     *
     * @param queries (B, H, T, D), as {@link #rotateQueries} got them
     * @param keys (B, G, S, D), as {@link #rotateKeys} got them
     * @param queryPositions (T) or (B, T)
     * @param keyPositions (S) or (B, S)
     * @param context the layer
     * @return broadcasts to (B, H, T, S), in the queries' type; {@code null} where nothing is
     *     added, which spares the T × S matrix
     */
    default NDArray bias(
            NDArray queries,
            NDArray keys,
            Positions queryPositions,
            Positions keyPositions,
            LayerContext context) {
        return null;
    }
}
