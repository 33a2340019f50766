package org.posenc.signal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.posenc.kernel.Cast;

/** What samples and the features at them must be, so that weights can be solved for. */
final class Samples {

    private Samples() {}

    /** Samples of a grid, which may be anything where they are not looked at. */
    static void checkGrid(List<NDArray> axisFeatures, NDArray samples) {
        Shape s = samples.getShape();
        boolean fits = s.dimension() == axisFeatures.size() + 1;
        for (int m = 0; fits && m < axisFeatures.size(); m++) {
            Shape a = axisFeatures.get(m).getShape();
            fits = a.dimension() == 2 && a.get(0) == s.get(m);
        }
        check(fits, "(N_0, …, N_{M−1}, C) and features (N_m, K_m)", axisFeatures, samples);
    }

    /** Samples at scattered points. */
    static void checkPoints(List<NDArray> axisFeatures, NDArray samples) {
        Shape s = samples.getShape();
        boolean fits = s.dimension() == 2 && !axisFeatures.isEmpty();
        for (int m = 0; fits && m < axisFeatures.size(); m++) {
            Shape a = axisFeatures.get(m).getShape();
            fits = a.dimension() == 2 && a.get(0) == s.get(0);
        }
        check(fits, "(P, C) and features (P, K_m)", axisFeatures, samples);
    }

    /** Samples at points that are blended from grids. */
    static void checkBlended(
            List<NDArray> axisFeatures, List<Blending> blends, double[][] points, NDArray samples) {
        Shape s = samples.getShape();
        boolean fits =
                s.dimension() == 2
                        && s.get(0) == points.length
                        && blends.size() == axisFeatures.size();
        for (int m = 0; fits && m < blends.size(); m++) {
            Shape a = axisFeatures.get(m).getShape();
            fits = a.dimension() == 2 && a.get(0) == blends.get(m).gridPoints();
        }
        String wanted = "(P, C), one row for each of " + points.length + " points, and features";
        check(fits, wanted + " (G_m, K_m) of the virtual grid", axisFeatures, samples);
        checkFinite(samples, "samples");
    }

    private static void check(
            boolean fits, String wanted, List<NDArray> axisFeatures, NDArray samples) {
        String got =
                samples.getShape()
                        + " and "
                        + axisFeatures.stream().map(NDArray::getShape).toList();
        if (!fits || axisFeatures.isEmpty()) {
            throw new IllegalArgumentException(
                    "samples must be " + wanted + " for each of M axes, got " + got);
        }
        if (samples.size() == 0 || axisFeatures.stream().anyMatch(a -> a.size() == 0)) {
            throw new IllegalArgumentException("no axis may be empty, got " + got);
        }
        checkType(samples, "samples");
        for (int m = 0; m < axisFeatures.size(); m++) {
            checkType(axisFeatures.get(m), "features of axis " + m);
            checkFinite(axisFeatures.get(m), "features of axis " + m);
        }
    }

    private static void checkType(NDArray array, String what) {
        DataType type = array.getDataType();
        if (type != DataType.FLOAT32 && type != DataType.FLOAT64) {
            throw new IllegalArgumentException(
                    what
                            + " must be float32 or float64, got "
                            + type.name().toLowerCase(Locale.ROOT));
        }
    }

    /** Refuses numbers that are not finite, and tells where the first one stands. */
    static void checkFinite(NDArray array, String what) {
        try (NDScope temporaries = new NDScope()) {
            NDArray finite = array.isInfinite().logicalOr(array.isNaN()).logicalNot();
            if (!finite.all().getBoolean()) {
                long at = Cast.to(finite, DataType.INT32, false).flatten().argMin().getLong();
                double value = Cast.to(array, DataType.FLOAT64, false).flatten().getDouble(at);
                throw new IllegalArgumentException(
                        what + " must be finite, got " + value + " at " + index(array, at));
            }
        }
    }

    private static List<Long> index(NDArray array, long flat) {
        List<Long> index = new ArrayList<>();
        long rest = flat;
        for (int axis = array.getShape().dimension() - 1; axis >= 0; axis--) {
            index.add(0, rest % array.getShape().get(axis));
            rest /= array.getShape().get(axis);
        }
        return index;
    }
}
