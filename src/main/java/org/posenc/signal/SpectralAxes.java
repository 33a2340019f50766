package org.posenc.signal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.posenc.analysis.Spectrum;
import org.posenc.kernel.Cast;
import org.posenc.kernel.ModeProducts;
import org.posenc.kernel.SingularVectors;

/**
 * The axes of a separable problem in the bases of their singular vectors, A_m = U_m diag(s_m) V_mᵀ:
 * weights W = Z ×₀ V₀ ×₁ V₁ …, in which a grid's normal equations are diagonal.
 */
final class SpectralAxes {

    /** The part of the greatest squared norm that is no more than a rounding error. */
    private static final double NOTHING = 1e-12;

    private final List<NDArray> features; // A_m (N_m, K_m), float64
    private final List<SingularVectors> vectors;
    private final List<Spectrum> spectra = new ArrayList<>();
    private final int[] directions; // R_m, how many singular vectors of an axis count

    /**
     * Decomposes the axes.
     *
     * @param axisFeatures A_m (N_m, K_m), finite
     * @param regularization which directions count: those above a cut-off; all that samples see for
     *     a ridge; all for differences of weights
     * @throws IllegalArgumentException if all features of an axis are 0
     */
    SpectralAxes(List<NDArray> axisFeatures, Regularization regularization) {
        features = axisFeatures.stream().map(a -> Cast.to(a, DataType.FLOAT64, false)).toList();
        boolean all = regularization instanceof Regularization.TotalVariation;
        vectors = decompositions(features, all);
        directions = new int[features.size()];
        for (int m = 0; m < directions.length; m++) {
            Spectrum spectrum = spectrum(m);
            spectra.add(spectrum);
            int known = spectrum.singularValues().length;
            if (regularization instanceof Regularization.CutOff cutOff) {
                double rounding = Math.max(spectrum.rows(), spectrum.columns()) * 0x1p-52;
                directions[m] = spectrum.numericalRank(Math.max(cutOff.relative(), rounding));
            } else {
                directions[m] = all ? Math.toIntExact(spectrum.columns()) : known;
            }
        }
    }

    /** Axes with equal features, such as those of a square image, are decomposed once. */
    private static List<SingularVectors> decompositions(List<NDArray> features, boolean all) {
        List<SingularVectors> vectors = new ArrayList<>();
        for (int m = 0; m < features.size(); m++) {
            NDArray a = features.get(m);
            int same =
                    IntStream.range(0, m)
                            .filter(i -> features.get(i).contentEquals(a))
                            .findFirst()
                            .orElse(m);
            vectors.add(
                    same < m
                            ? vectors.get(same)
                            : all ? SingularVectors.completed(a) : SingularVectors.of(a));
        }
        return vectors;
    }

    private Spectrum spectrum(int axis) {
        Shape shape = features.get(axis).getShape();
        double[] values = vectors.get(axis).s().toDoubleArray();
        if (values[0] == 0) {
            throw new IllegalArgumentException(
                    "all features of axis "
                            + axis
                            + " are 0 at its samples, so nothing can be fitted: the encoding is too"
                            + " narrow");
        }
        return new Spectrum(values, shape.get(0), shape.get(1), 0x1p-52);
    }

    /** The singular values of each axis. */
    List<Spectrum> spectra() {
        return spectra;
    }

    /** U_mᵀ (R_m, N_m), which all that samples say of Z is seen through. */
    List<NDArray> left() {
        return IntStream.range(0, directions.length)
                .mapToObj(m -> vectors.get(m).u().get(":, :" + directions[m]).transpose())
                .toList();
    }

    /** V_m (K_m, R_m). */
    NDArray right(int axis) {
        return vectors.get(axis).vt().get(":" + directions[axis]).transpose();
    }

    /** A_m V_m (N_m, R_m), the features of Z. */
    List<NDArray> features() {
        return IntStream.range(0, directions.length)
                .mapToObj(m -> features.get(m).matMul(right(m)))
                .toList();
    }

    /** Π_m s_m of each direction, (1, R_0, …, R_{M−1}). */
    NDArray gains() {
        NDArray gains = null;
        for (int m = 0; m < directions.length; m++) {
            NDArray s = padded(vectors.get(m).s(), directions[m]);
            NDArray axis = alongAxis(s, m, directions.length);
            gains = gains == null ? axis : gains.mul(axis);
        }
        return gains;
    }

    /**
     * What is wrong with the axes, one sentence each: samples that no feature sees, features that
     * no sample sees, and how many directions a cut-off leaves out.
     */
    List<String> remarks() {
        List<String> remarks = new ArrayList<>();
        for (int m = 0; m < directions.length; m++) {
            NDArray squares = features.get(m).square();
            remark(remarks, m, squares.sum(new int[] {1}), "samples lie where every feature is 0");
            remark(remarks, m, squares.sum(new int[] {0}), "features are 0 at every sample");
            int known = spectra.get(m).singularValues().length;
            if (directions[m] < known) {
                remarks.add(
                        "axis %d: %d of %d singular values are below the cut-off"
                                .formatted(m, known - directions[m], known));
            }
        }
        return remarks;
    }

    private static void remark(List<String> remarks, int axis, NDArray squares, String what) {
        double[] values = squares.toDoubleArray();
        double least = Arrays.stream(values).max().orElse(0) * NOTHING;
        long blind = Arrays.stream(values).filter(v -> v <= least).count();
        if (blind > 0) {
            remarks.add("axis %d: %d of %d %s".formatted(axis, blind, values.length, what));
        }
    }

    /** A vector (R_m) as (1, …, R_m, …), to be broadcast along the axes of weights. */
    static NDArray alongAxis(NDArray vector, int axis, int axes) {
        long[] alone = new long[axes + 1];
        Arrays.fill(alone, 1);
        alone[axis + 1] = vector.size();
        return vector.reshape(new Shape(alone));
    }

    /** Features that no sample sees have the singular value 0. */
    private static NDArray padded(NDArray s, long length) {
        if (s.size() >= length) {
            return s.get(":" + length);
        }
        NDArray zeros = s.getManager().zeros(new Shape(length - s.size()), s.getDataType());
        return NDArrays.concat(new NDList(s, zeros));
    }

    /** W (C, K_0, …) of Z (C, R_0, …). */
    NDArray weights(NDArray z) {
        NDArray w = z;
        for (int m = 0; m < directions.length; m++) {
            w = ModeProducts.along(w, m + 1, right(m));
        }
        return w;
    }
}
