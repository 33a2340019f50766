package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.Cast;

/**
 * The positions of one forward pass, always explicit: (T), or (B, T) where rows are packed or
 * padded or continue a cache, or (…, M) for M-dimensional coordinates.
 *
 * <p>It also remembers what encodings derive from the positions (angles, features, biases), so that
 * the layers of a model share one computation. The derived arrays live and die with the manager of
 * the positions. One instance serves one thread and one forward pass.
 */
public final class Positions {

    private final NDArray array;
    private final boolean points; // whether the last axis holds coordinates
    private final Map<Object, NDArray> derived = new HashMap<>();
    private final Map<Object, Positions> derivedPositions = new HashMap<>();
    private Bounds bounds; // null until asked for, where it is not known from the start
    private double[] greatest; // of each row, null until asked for
    private boolean consecutive;

    private Positions(NDArray array, boolean points) {
        this.array = array;
        this.points = points;
    }

    /**
     * The least and the greatest of all coordinates.
     *
     * @param least the least
     * @param greatest the greatest
     */
    public record Bounds(double least, double greatest) {}

    /**
     * Positions from an array of any real or integer type. Points that tokens stand at are better
     * made by {@link #points}, which knows (T, M) from (B, T).
     *
     * @param array (T), (B, T) or (…, M)
     * @return the positions
     * @throws IllegalArgumentException if the array is empty or, on the CPU, has an element that is
     *     not finite; to look at those of a GPU would make each pass wait for it
     */
    public static Positions of(NDArray array) {
        return checked(array, false);
    }

    /**
     * Positions of tokens that have several coordinates each (the row and column of an image's
     * patch; time, height and width of a video's).
     *
     * @param array (T, M) or (B, T, M), of any real or integer type
     * @return the positions
     * @throws IllegalArgumentException as {@link #of}, or if the array has another number of axes
     */
    public static Positions points(NDArray array) {
        int axes = array.getShape().dimension();
        if (axes != 2 && axes != 3) {
            throw new IllegalArgumentException(
                    "points must be (T, M) or (B, T, M), got shape " + array.getShape());
        }
        return checked(array, true);
    }

    private static Positions checked(NDArray array, boolean points) {
        if (array.getShape().size() == 0) {
            throw new IllegalArgumentException(
                    "positions must not be empty, got shape " + array.getShape());
        }
        Positions positions = new Positions(array, points);
        if (array.getDataType().isFloating() && !array.getDevice().isGpu()) {
            positions.checkFinite();
        }
        return positions;
    }

    private void checkFinite() {
        for (double bound : new double[] {bounds().least(), bounds().greatest()}) {
            if (!Double.isFinite(bound)) {
                throw new IllegalArgumentException("positions must be finite, got " + bound);
            }
        }
    }

    /**
     * The consecutive positions {@code from}, …, {@code to − 1}.
     *
     * @param manager owns the array
     * @param from the first position
     * @param to one more than the last
     * @return positions (to − from), int64
     * @throws IllegalArgumentException if the range is empty
     */
    public static Positions range(NDManager manager, long from, long to) {
        if (to <= from) {
            throw new IllegalArgumentException(
                    "positions must not be empty, got the range " + from + " to " + to);
        }
        long[] values = new long[Math.toIntExact(to - from)];
        for (int i = 0; i < values.length; i++) {
            values[i] = from + i;
        }
        return range(manager.create(values, new Shape(values.length)), from);
    }

    /**
     * The consecutive positions {@code from}, {@code from + 1}, … that an array is known to hold,
     * so that nobody has to look.
     *
     * @param array (T), int64
     * @param from its first element
     * @return positions (T)
     * @throws IllegalArgumentException if the array is no vector, or empty
     */
    public static Positions range(NDArray array, long from) {
        if (array.getShape().dimension() != 1) {
            throw new IllegalArgumentException(
                    "consecutive positions must be (T), got shape " + array.getShape());
        }
        Positions range = of(array);
        range.bounds = new Bounds(from, from + array.size() - 1.0);
        range.consecutive = true;
        return range;
    }

    /**
     * Returns these positions with nothing derived from them yet, for a part of a pass that is run
     * by itself: what a graph is recorded of must not be shared with what none is recorded of.
     *
     * @param manager owns what will be derived
     * @return the same positions
     */
    public Positions again(NDManager manager) {
        NDArray own = array.reshape(array.getShape());
        own.attach(manager);
        NDScope.unregister(own);
        Positions again = new Positions(own, points);
        again.bounds = bounds;
        again.greatest = greatest;
        again.consecutive = consecutive;
        return again;
    }

    /**
     * Refuses positions that are not those of a batch of sequences.
     *
     * @param batch B
     * @param length T
     * @throws IllegalArgumentException unless they are (T), (1, T) or (B, T), or points of these
     */
    public void checkFit(long batch, long length) {
        Shape p = tokens();
        int axes = p.dimension();
        boolean fits =
                (axes == 1 || axes == 2 && (p.get(0) == batch || p.get(0) == 1))
                        && p.get(axes - 1) == length;
        if (!fits) {
            String coordinates = points ? ", M" : "";
            throw new IllegalArgumentException(
                    "positions must be (%d%s) or (%d, %d%s) for as many tokens, got shape %s"
                            .formatted(
                                    length,
                                    coordinates,
                                    batch,
                                    length,
                                    coordinates,
                                    array.getShape()));
        }
    }

    /**
     * Returns how many tokens of each row have a position.
     *
     * @return T
     */
    public long length() {
        Shape p = tokens();
        return p.dimension() == 0 ? 1 : p.get(p.dimension() - 1);
    }

    /**
     * Returns whether each token has several coordinates.
     *
     * @return true where {@link #points} made them
     */
    public boolean arePoints() {
        return points;
    }

    /** (T) or (B, T). */
    private Shape tokens() {
        Shape p = array.getShape();
        return points ? p.slice(0, p.dimension() - 1) : p;
    }

    /**
     * Returns the positions themselves.
     *
     * @return (T), (B, T) or (…, M)
     */
    public NDArray array() {
        return array;
    }

    /**
     * Returns the positions as real numbers, through which gradients flow if they are so already.
     *
     * @param type float32 or float64
     * @return the same shape
     */
    public NDArray real(DataType type) {
        return derived(type, () -> Cast.to(array, type, true));
    }

    /**
     * Returns the least and the greatest coordinate, on the host. Those of a {@link #range} are
     * known; others are read from the device once, the first time they are asked for.
     *
     * @return the bounds; NaN where a coordinate is
     */
    public Bounds bounds() {
        if (bounds == null) {
            // Not of real(…), which must be computed where gradients are recorded.
            try (Autograd.Scope off = Autograd.off();
                    NDArray least = array.min();
                    NDArray greatest = array.max();
                    NDArray both = NDArrays.stack(new NDList(least, greatest));
                    NDArray exact = both.toType(DataType.FLOAT64, false)) {
                double[] values = exact.toDoubleArray();
                bounds = new Bounds(values[0], values[1]);
            }
        }
        return bounds;
    }

    /**
     * Returns whether {@link #bounds} answers without waiting for a GPU.
     *
     * @return true for those of a {@link #range}, those on the CPU and those asked for before
     */
    public boolean knowBounds() {
        return bounds != null || !array.getDevice().isGpu();
    }

    /**
     * Returns whether these are all whole numbers between their bounds, in order.
     *
     * @return true where {@link #range(NDManager, long, long)} made them
     */
    public boolean areConsecutive() {
        return consecutive;
    }

    /**
     * Returns the greatest position of each row, on the host. Where there is more than one row they
     * are read from the device once, the first time they are asked for.
     *
     * @return a number for each of B rows of (B, T) or (B, T, M); one number where all rows share
     *     their positions
     */
    public double[] greatestOfRows() {
        if (tokens().dimension() < 2) {
            return new double[] {bounds().greatest()};
        }
        if (greatest == null) {
            int[] inRow = IntStream.range(1, array.getShape().dimension()).toArray();
            try (Autograd.Scope off = Autograd.off();
                    NDArray last = array.max(inRow);
                    NDArray exact = last.toType(DataType.FLOAT64, false)) {
                greatest = exact.toDoubleArray();
            }
        }
        return greatest.clone();
    }

    /**
     * Returns what was derived under this key before, or derives it now.
     *
     * @param key equal only where everything that the result depends on is equal, beside the
     *     positions themselves
     * @param derivation makes the array
     * @return the array; not to be closed by the caller
     */
    public NDArray derived(Object key, Supplier<NDArray> derivation) {
        NDArray known = derived.get(key);
        if (known == null) {
            known = derivation.get();
            known.attach(array.getManager());
            NDScope.unregister(known); // it outlives the layer that asked first
            derived.put(key, known);
        }
        return known;
    }

    /**
     * Returns other positions that are computed from these, such as those of groups, so that the
     * layers share what is derived from them in turn.
     *
     * @param key as in {@link #derived}
     * @param derivation makes the array of positions
     * @return the positions
     */
    public Positions derivedPositions(Object key, Supplier<NDArray> derivation) {
        Positions known = derivedPositions.get(key);
        if (known == null) {
            known = of(derived(key, derivation));
            derivedPositions.put(key, known);
        }
        return known;
    }
}
