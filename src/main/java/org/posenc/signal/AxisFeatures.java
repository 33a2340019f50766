package org.posenc.signal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.ParameterStore;
import java.nio.DoubleBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.posenc.encoding.Positions;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.Cast;
import org.posenc.model.CoordinateMlp;

/**
 * The features of coordinates along axes, which networks of one plan share: those that were asked
 * for last are kept, because most tiles of a signal have the same coordinates.
 */
final class AxisFeatures implements AutoCloseable {

    private static final int KEPT = 12;

    private final NDManager manager;
    private final CoordinateMlp network;

    private final Map<Line, NDArray> kept =
            new LinkedHashMap<>(KEPT, 0.75f, true) {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<Line, NDArray> eldest) {
                    boolean full = size() > KEPT;
                    if (full) {
                        eldest.getValue().close();
                    }
                    return full;
                }
            };

    /** Coordinates along an axis; buffers are equal where their numbers are. */
    private record Line(int axis, DoubleBuffer coordinates, DataType type) {}

    /**
     * Prepares for networks.
     *
     * @param network one of them, with features that are not learnt and separate along the axes
     * @param parent on the networks' device
     */
    AxisFeatures(CoordinateMlp network, NDManager parent) {
        this.network = network;
        manager = parent.newSubManager();
    }

    /** Whether features of an axis depend on its coordinates alone, and not on the network. */
    static boolean areShared(CoordinateMlp network) {
        return network.separable() && network.features().getParameters().isEmpty();
    }

    /**
     * Returns the features of coordinates.
     *
     * @param axis m
     * @param coordinates (N), not to be changed afterwards
     * @param type of the features, so that not each network converts them
     * @return (N, K_m), valid until others were asked for a dozen times
     */
    NDArray of(int axis, double[] coordinates, DataType type) {
        return kept.computeIfAbsent(
                new Line(axis, DoubleBuffer.wrap(coordinates), type), this::features);
    }

    private NDArray features(Line line) {
        try (NDManager scope = manager.newSubManager();
                Autograd.Scope off = Autograd.off()) {
            Positions x = Positions.of(scope.create(line.coordinates().array()));
            ParameterStore none = new ParameterStore(scope, false);
            NDArray exact = network.axisFeatures(line.axis(), x, none, false);
            NDArray features = Cast.withoutTails(exact, line.type(), false);
            features.attach(manager);
            return features;
        }
    }

    @Override
    public void close() {
        manager.close();
    }
}
