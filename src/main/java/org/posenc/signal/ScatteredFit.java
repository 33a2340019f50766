package org.posenc.signal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.Cast;
import org.posenc.kernel.Diagonals;
import org.posenc.kernel.ModeProducts;
import org.posenc.kernel.PointProducts;

/**
 * The linear layer over a Kronecker encoding that fits samples best which are not a whole grid, by
 * conjugate gradients on the normal equations (<a href="https://arxiv.org/abs/2205.08987">Zheng et
 * al. 2022</a>, who train it instead).
 *
 * <p>Three kinds of samples differ in what a step costs. Some samples {@link #ofGrid of a grid}, a
 * random part of an image's pixels for instance, cost what the whole grid costs. {@link #ofBlended
 * Blended} points, anywhere, cost the same for a virtual grid. {@link #ofPoints Points} without
 * blending are exact, at P K_0 … K_{M−1} multiplications for each channel.
 *
 * <p>Where samples leave gaps, weights are hardly determined and a regularisation counts: {@link
 * Regularization.Ridge} or {@link Regularization.TotalVariation}. Under a cut-off the iteration
 * leads to the least weights that fit, and ending it early is a regularisation too.
 */
public final class ScatteredFit extends LinearFit {

    private ScatteredFit(SpectralAxes axes, ConjugateGradients.Solution solution, NDArray samples) {
        super(axes, solution, samples);
    }

    /**
     * Fits some samples of a grid.
     *
     * @param axisFeatures A_m (N_m, K_m) of each of M axes of the grid, float32 or float64, finite
     * @param samples S (N_0, …, N_{M−1}, C), float32 or float64; finite where they are known
     * @param known which samples are known, boolean (N_0, …, N_{M−1})
     * @param regularization what is done about directions that the samples hardly determine
     * @param stopping when the iteration ends
     * @return the fit, whose arrays belong to the samples' manager
     * @throws IllegalArgumentException if shapes do not fit together, nothing is known, a known
     *     number is not finite, or all features of an axis are 0
     */
    public static ScatteredFit ofGrid(
            List<NDArray> axisFeatures,
            NDArray samples,
            NDArray known,
            Regularization regularization,
            Stopping stopping) {
        Samples.checkGrid(axisFeatures, samples);
        Shape sides = samples.getShape().slice(0, axisFeatures.size());
        if (!known.getShape().equals(sides) || known.getDataType() != DataType.BOOLEAN) {
            throw new IllegalArgumentException(
                    "which samples are known must be told by booleans "
                            + sides
                            + ", got "
                            + known.getDataType().name().toLowerCase(Locale.ROOT)
                            + " "
                            + known.getShape());
        }
        try (Autograd.Scope off = Autograd.off();
                NDScope temporaries = new NDScope()) {
            NDArray mask = known.expandDims(-1); // (N_0, …, 1)
            NDArray ones = Cast.to(mask, DataType.FLOAT64, false);
            double count = ones.sum().getDouble();
            if (count == 0) {
                throw new IllegalArgumentException("a fit needs at least one known sample");
            }
            NDArray all = Cast.to(samples, DataType.FLOAT64, false);
            NDArray s = NDArrays.where(mask.broadcast(all.getShape()), all, all.zerosLike());
            Samples.checkFinite(s, "known samples");
            SpectralAxes axes = new SpectralAxes(axisFeatures, regularization);
            List<NDArray> rows = axes.features();
            List<NDArray> columns = rows.stream().map(NDArray::transpose).toList();
            UnaryOperator<NDArray> normal =
                    z -> {
                        NDArray grid = ModeProducts.unitsLast(z, rows); // (N_0, …, C)
                        return ModeProducts.unitsFirst(grid.muli(ones), columns);
                    };
            ConjugateGradients.Solution solution =
                    new NormalEquations(axes, regularization, count)
                            .solve(
                                    normal,
                                    count / sides.size(),
                                    ModeProducts.unitsFirst(s, columns),
                                    stopping);
            return new ScatteredFit(axes, solution, samples);
        }
    }

    /**
     * Fits samples at points that are blended from a virtual grid.
     *
     * @param axisFeatures A_m (G_m, K_m) of each of M axes, at the {@link Blending#positions} of
     *     its blend, float32 or float64, finite
     * @param blends the blend along each axis
     * @param points (P, M), in [0, 1]
     * @param samples (P, C), float32 or float64, finite
     * @param regularization what is done about directions that the samples hardly determine
     * @param stopping when the iteration ends
     * @return the fit, whose arrays belong to the samples' manager
     * @throws IllegalArgumentException if shapes do not fit together, a number is not finite, or
     *     all features of an axis are 0
     */
    public static ScatteredFit ofBlended(
            List<NDArray> axisFeatures,
            List<Blending> blends,
            double[][] points,
            NDArray samples,
            Regularization regularization,
            Stopping stopping) {
        Samples.checkBlended(axisFeatures, blends, points, samples);
        try (Autograd.Scope off = Autograd.off();
                NDScope temporaries = new NDScope()) {
            BlendedPoints blended = new BlendedPoints(blends, points);
            SpectralAxes axes = new SpectralAxes(axisFeatures, regularization);
            List<NDArray> rows = axes.features();
            List<NDArray> columns = rows.stream().map(NDArray::transpose).toList();
            Diagonals gram = blended.gram(samples); // BᵀB
            long channels = samples.getShape().get(1);
            Shape grid = new Shape(blended.sides()).add(channels);
            UnaryOperator<NDArray> normal =
                    z -> {
                        NDArray values = ModeProducts.unitsLast(z, rows).reshape(-1, channels);
                        NDArray weighed = gram.times(values.transpose()).transpose();
                        return ModeProducts.unitsFirst(weighed.reshape(grid), columns);
                    };
            NDArray sums = blended.transposed(samples).reshape(grid); // Bᵀ S
            ConjugateGradients.Solution solution =
                    new NormalEquations(axes, regularization, points.length)
                            .solve(
                                    normal,
                                    points.length / (double) sums.size() * channels,
                                    ModeProducts.unitsFirst(sums, columns),
                                    stopping);
            return new ScatteredFit(axes, solution, samples);
        }
    }

    /**
     * Fits samples at points, exactly.
     *
     * @param axisFeatures φ_m(x_m) (P, K_m) of each of M axes, float32 or float64, finite
     * @param samples (P, C), float32 or float64, finite
     * @param regularization what is done about directions that the samples hardly determine
     * @param stopping when the iteration ends
     * @return the fit, whose arrays belong to the samples' manager
     * @throws IllegalArgumentException if shapes do not fit together, a number is not finite, or
     *     all features of an axis are 0
     */
    public static ScatteredFit ofPoints(
            List<NDArray> axisFeatures,
            NDArray samples,
            Regularization regularization,
            Stopping stopping) {
        Samples.checkPoints(axisFeatures, samples);
        Samples.checkFinite(samples, "samples");
        try (Autograd.Scope off = Autograd.off();
                NDScope temporaries = new NDScope()) {
            SpectralAxes axes = new SpectralAxes(axisFeatures, regularization);
            List<NDArray> rows = axes.features();
            NDArray s = Cast.to(samples, DataType.FLOAT64, false);
            double points = s.getShape().get(0);
            ConjugateGradients.Solution solution =
                    new NormalEquations(axes, regularization, points)
                            .solve(
                                    z -> PointProducts.normal(z, rows),
                                    Math.pow(points, 1 - rows.size()), // were axes independent
                                    PointProducts.transposed(s, rows),
                                    stopping);
            return new ScatteredFit(axes, solution, samples);
        }
    }
}
