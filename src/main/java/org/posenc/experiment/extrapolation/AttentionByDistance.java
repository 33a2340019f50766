package org.posenc.experiment.extrapolation;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.posenc.attention.AttentionMask;

/** How much of its attention a decoder gives to which distances. */
final class AttentionByDistance {

    private AttentionByDistance() {}

    /** The first distances of the ranges: 0, 1, 2, 4, 8, … */
    static List<Integer> ranges(int length) {
        List<Integer> from = new ArrayList<>(List.of(0));
        for (int distance = 1; distance < length; distance *= 2) {
            from.add(distance);
        }
        return from;
    }

    /**
     * Looks at the last quarter of a window.
     *
     * @return the share of attention on each range of distances, a mean over layers, heads and
     *     queries; they add up to 1
     */
    static List<Double> of(Reader reader, int[] window, NDManager parent) {
        int length = window.length;
        List<Integer> from = ranges(length);
        double[] shares = new double[from.size()];
        int first = length - Math.max(1, length / 4);
        try (NDManager manager = parent.newSubManager()) {
            long[] ids = Arrays.stream(window).asLongStream().toArray();
            List<NDArray> layers =
                    reader.decoder()
                            .attentionWeights(
                                    manager.create(ids, new Shape(1, length)),
                                    reader.positions(manager, length),
                                    AttentionMask.none(),
                                    new ParameterStore(manager, false));
            for (NDArray weights : layers) {
                float[] rows = weights.mean(new int[] {1}).toFloatArray(); // (T, T)
                for (int i = first; i < length; i++) {
                    for (int j = 0; j <= i; j++) {
                        int range = 32 - Integer.numberOfLeadingZeros(i - j);
                        shares[range] += rows[i * length + j];
                    }
                }
            }
            double queries = (double) layers.size() * (length - first);
            return Arrays.stream(shares).map(share -> share / queries).boxed().toList();
        }
    }
}
