package org.posenc.checkpoint;

import ai.djl.ndarray.NDArray;
import java.util.LinkedHashMap;
import java.util.Map;
import org.posenc.encoding.rope.LayoutPermutation;
import org.posenc.encoding.rope.RotaryLayout;
import org.posenc.encoding.rope.RotaryPart;
import org.posenc.model.Transformer;
import org.posenc.model.TransformerConfig;

/**
 * In which order a Hugging Face folder holds the rows of a model's queries and keys.
 *
 * <p>The folder's are in the order of halves, those of a model whose RoPE turns interleaved pairs
 * in the order of pairs. Reading and writing carry over whatever has such rows: weights (H·D, E)
 * and biases (H·D) of the projections, gains (D) of their norms, and the B (H·D, rank) of a LoRA
 * adapter. All other parameters have the same rows in both.
 */
public final class StoredRows {

    private StoredRows() {}

    /**
     * Returns how a model's rows become those of a folder.
     *
     * @param model any model; the pairs of its weights tell the order
     * @return by the path of a block, such as {@code layer0.attention.query} or {@code
     *     layer0.attention.queryNorm}, the permutation from the model's rows to the folder's, whose
     *     {@link LayoutPermutation#inverse()} leads back; blocks that are not there keep their rows
     */
    public static Map<String, LayoutPermutation> of(Transformer model) {
        TransformerConfig config = model.config();
        Map<String, LayoutPermutation> orders = new LinkedHashMap<>();
        for (int i = 0; i < config.layers(); i++) {
            RotaryPart part = model.rotaryPart(i).orElse(null);
            if (part != null && part.layout() == RotaryLayout.INTERLEAVED) {
                String attention = "layer" + i + ".attention.";
                orders.put(attention + "query", toHalves(part, config.heads()));
                orders.put(attention + "key", toHalves(part, config.keyValueHeads()));
                if (config.queryKeyNorm()) {
                    orders.put(attention + "queryNorm", toHalves(part, 1));
                    orders.put(attention + "keyNorm", toHalves(part, 1));
                }
            }
        }
        return orders;
    }

    private static LayoutPermutation toHalves(RotaryPart part, int heads) {
        return LayoutPermutation.of(
                heads,
                part.headDimension(),
                part.rotaryDimension(),
                RotaryLayout.INTERLEAVED,
                RotaryLayout.HALF_SPLIT);
    }

    /**
     * Returns arrays with their rows in the folder's order.
     *
     * @param arrays arrays that have a model's rows, by the paths of its parameters
     */
    static Map<String, NDArray> stored(Transformer model, Map<String, NDArray> arrays) {
        return stored(of(model), arrays);
    }

    /** As above, where the orders of the model are known. */
    static Map<String, NDArray> stored(
            Map<String, LayoutPermutation> orders, Map<String, NDArray> arrays) {
        Map<String, NDArray> stored = new LinkedHashMap<>();
        arrays.forEach(
                (path, array) -> {
                    LayoutPermutation order = orders.get(block(path));
                    stored.put(path, order == null ? array : order.apply(array.stopGradient()));
                });
        return stored;
    }

    /** The block that a parameter such as {@code layer0.attention.query.weight} belongs to. */
    static String block(String path) {
        return path.contains(".") ? path.substring(0, path.lastIndexOf('.')) : path;
    }
}
