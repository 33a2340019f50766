package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.util.Optional;
import org.posenc.encoding.rope.RotaryPart;

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
     * Returns which components of queries and keys are turned in pairs. Weights that were trained
     * with one layout are nonsense with the other, which a model that changes its encoding refuses.
     *
     * @param layer the layer's index, from 0
     * @return the part that turns; empty where nothing is turned in pairs
     */
    default Optional<RotaryPart> rotaryPart(int layer) {
        return Optional.empty();
    }

    /**
     * The rotate seam for pairs: the products of queries and keys, where they are not those of
     * rotated queries with rotated keys because the rotation depends on both positions.
     *
     * @param queries (B, H, T, D), as {@link #rotateQueries} got them
     * @param keys (B, G, S, D), as {@link #rotateKeys} got them
     * @param queryPositions (T) or (B, T)
     * @param keyPositions (S) or (B, S)
     * @param context the layer
     * @return (B, H, T, S), not yet scaled, in the queries' type; {@code null} where rotated
     *     queries and keys are multiplied, which spares the T × S matrix
     */
    default NDArray products(
            NDArray queries,
            NDArray keys,
            Positions queryPositions,
            Positions keyPositions,
            LayerContext context) {
        return null;
    }

    /**
     * Returns whether a key, once rotated, stays right however long its sequence grows. A cache may
     * then keep rotated keys.
     *
     * @return false where the rotation of a key depends on more than its own position
     */
    default boolean keysStayRotated() {
        return true;
    }

    /**
     * Returns whether {@link #rerotateKeys} makes of keys that were rotated in a shorter sequence
     * what {@link #rotateKeys} would make of them now.
     *
     * @return true where keys stay rotated, and where they can be turned on; false where a key's
     *     rotation differs from one query to the next ({@link #products}), so that it must be kept
     *     as it came
     */
    default boolean canRerotateKeys() {
        return keysStayRotated();
    }

    /**
     * Returns whether what becomes of a row's queries and keys depends on that row alone, whatever
     * rows are beside it in the batch.
     *
     * @param context the layer
     * @return false where the longest row's length counts for all
     */
    default boolean rowsAreIndependent(LayerContext context) {
        return true;
    }

    /**
     * Turns rotated keys on, from what they are in a shorter sequence to what they are in a longer
     * one.
     *
     * @param rotated (B, G, S, D), as {@link #rotateKeys} returned them
     * @param positions the keys' positions, (S) or (B, S)
     * @param before positions that make up the sequences in which they were rotated; of rows that
     *     are not here any more, too, where {@link #rowsAreIndependent rows are not independent}
     * @param now positions that make up the sequences now
     * @param context the layer
     * @return (B, G, S, D)
     */
    default NDArray rerotateKeys(
            NDArray rotated,
            Positions positions,
            Positions before,
            Positions now,
            LayerContext context) {
        return rotated;
    }

    /**
     * Computes what the encoding must know of each key beside the key itself (a forget gate). It is
     * kept with the keys, and {@link LayerContext#keyNotes} has that of all of them.
     *
     * @param hidden the keys' layer input (B, S, E), after normalisation
     * @param positions the keys' positions, (S) or (B, S)
     * @param context the layer
     * @return (B, C, S), or {@code null} where there is nothing to know
     */
    default NDArray keyNotes(NDArray hidden, Positions positions, LayerContext context) {
        return null;
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
