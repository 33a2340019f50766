package org.posenc.encoding.rope;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import java.util.stream.DoubleStream;
import org.posenc.kernel.Cast;

/**
 * Cosines and sines a cos(p θ_i), a sin(p θ_i) of positions p, frequencies θ and the attention
 * scaling a. {@link RopePrecision#EXACT} takes them in float64; Hugging Face's arithmetic is
 * float32 throughout, its angles included, which are off by half a radian at position 16 million.
 */
final class RotaryWaves {

    private RotaryWaves() {}

    /** The type in which positions, frequencies, angles and waves of a precision are. */
    static DataType type(RopePrecision precision) {
        return precision == RopePrecision.EXACT ? DataType.FLOAT64 : DataType.FLOAT32;
    }

    /**
     * Returns the waves of positions.
     *
     * @param places p: (…, T), of the precision's type
     * @param inverse θ: broadcasts to (…, T, d/2), of the same type
     * @param scaling a: broadcasts to (…, T, d/2, 2), of the same type; {@code null} for 1
     * @return (…, T, d/2, 2)
     */
    static NDArray of(NDArray places, NDArray inverse, NDArray scaling) {
        try (NDArray p = places.expandDims(-1); // (…, T, 1)
                NDArray angles = p.mul(inverse); // (…, T, d/2)
                NDArray cosines = angles.cos();
                NDArray sines = angles.sin()) {
            NDArray waves = NDArrays.stack(new NDList(cosines, sines), -1); // (…, T, d/2, 2)
            if (scaling == null) {
                return waves;
            }
            try (waves) {
                return waves.mul(scaling);
            }
        }
    }

    /**
     * Returns the waves of positions where each row has frequencies of its own.
     *
     * @param places p: (T) or (B, T), of the precision's type
     * @param rows one set for all rows, or B sets
     * @return (…, T, d/2, 2)
     */
    static NDArray of(NDArray places, List<RopeFrequencies> rows) {
        boolean one = rows.stream().distinct().count() == 1;
        List<RopeFrequencies> sets = one ? rows.subList(0, 1) : rows;
        double[] theta =
                sets.stream().flatMapToDouble(row -> DoubleStream.of(row.inverse())).toArray();
        double[] a = sets.stream().mapToDouble(RopeFrequencies::attentionScaling).toArray();
        int pairs = theta.length / sets.size();
        try (NDArray inverse =
                        array(
                                places,
                                theta,
                                one ? new Shape(pairs) : new Shape(a.length, 1, pairs));
                NDArray scaling =
                        array(places, a, one ? new Shape(1) : new Shape(a.length, 1, 1, 1))) {
            return of(places, inverse, scaling);
        }
    }

    /** Waves in a type; the given ones are not to be used any more. */
    static NDArray to(DataType type, NDArray waves) {
        NDArray typed = Cast.to(waves, type, true);
        if (typed != waves) {
            waves.close();
        }
        return typed;
    }

    /** Numbers beside an array, in its type, in memory of libtorch's own. */
    private static NDArray array(NDArray beside, double[] values, Shape shape) {
        NDManager manager = beside.getManager();
        try (NDArray exact = manager.create(values, shape)) {
            NDArray typed = Cast.to(exact, beside.getDataType(), false);
            return typed == exact ? exact.duplicate() : typed;
        }
    }
}
