package org.posenc.signal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.FourierFeatures;
import org.posenc.encoding.FourierFrequencies;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.encoding.ShiftedBasis;
import org.posenc.kernel.Scalars;
import org.posenc.model.KroneckerLinear;
import org.posenc.testing.Goldens;
import org.posenc.testing.Gradients;

/** Closed forms against the authors' values and against dense problems solved by elimination. */
class SeparableFitTest {

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    @ParameterizedTest
    @CsvSource({
        "gau, FLOAT64, 1e-12", "tri, FLOAT64, 1e-12", "rff, FLOAT64, 1e-12",
        "gau, FLOAT32, 1e-5", "tri, FLOAT32, 1e-5", "rff, FLOAT32, 1e-5"
    })
    void leastSquaresInThePlaneEqualTheAuthors(String encoder, DataType type, double tolerance) {
        JsonObject golden =
                Goldens.read("shifted-basis/complex_closed_form_2d_" + encoder + ".json");
        List<NDArray> features =
                Stream.of("A", "B").map(key -> array(golden.get(key)).toType(type, true)).toList();
        NDArray s = array(golden.get("S")).expandDims(2).toType(type, true);
        SeparableFit fit = SeparableFit.of(features, s, new Regularization.CutOff(0));
        assertThat(fit.weights().getDataType()).isEqualTo(type);
        assertThat(fit.weights().getShape()).isEqualTo(new Shape(1, 6, 6));
        double[] w = Goldens.flat(golden.get("W"));
        if (type == DataType.FLOAT64) { // the roundings of float32 features move W of rff by 1 %
            assertThat(values(fit.weights()))
                    .containsExactly(w, Offset.offset(tolerance * norm(w)));
        }
        assertThat(values(fit.onGrid(features)))
                .containsExactly(Goldens.flat(golden.get("fit")), Offset.offset(tolerance));
        double product = golden.get("product").getAsDouble();
        assertThat(fit.stableRank()).isCloseTo(product, Offset.offset(tolerance * product));
        assertThat(fit.iterations()).isZero();
    }

    /** Random axes of a plane and of a volume, with fewer features than samples. */
    private List<NDArray> axes(int number) {
        NDArray a = Gradients.normal(manager, 1, 5, 3);
        NDArray b = Gradients.normal(manager, 2, 4, 3);
        NDArray c = Gradients.normal(manager, 3, 3, 2);
        return List.of(a, b, c).subList(0, number);
    }

    private NDArray samples(List<NDArray> axes, long channels) {
        Shape shape = new Shape();
        for (NDArray a : axes) {
            shape = shape.add(a.getShape().get(0));
        }
        return Gradients.normal(manager, 9, shape.add(channels).getShape());
    }

    private static int[] sides(NDArray weights) {
        Shape shape = weights.getShape().slice(1);
        return Arrays.stream(shape.getShape()).mapToInt(Math::toIntExact).toArray();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void everyRegularisationSolvesTheDenseProblem(int number) {
        List<NDArray> axes = axes(number);
        NDArray s = samples(axes, 2);
        NDArray least = SeparableFit.of(axes, s, new Regularization.CutOff(0)).weights();
        assertThat(values(least))
                .containsExactly(
                        DenseProblem.ofGrid(axes, s).solve(),
                        Offset.offset(1e-10 * norm(values(least))));
        for (double lambda : new double[] {1e-3, 0.7}) {
            assertThat(values(SeparableFit.of(axes, s, new Regularization.Ridge(lambda)).weights()))
                    .containsExactly(
                            DenseProblem.ofGrid(axes, s).ridge(lambda).solve(),
                            Offset.offset(1e-9));
            SeparableFit smooth =
                    SeparableFit.of(axes, s, new Regularization.TotalVariation(lambda));
            assertThat(smooth.residual()).isLessThanOrEqualTo(1e-12);
            assertThat(smooth.iterations()).isPositive();
            assertThat(values(smooth.weights()))
                    .containsExactly(
                            DenseProblem.ofGrid(axes, s)
                                    .totalVariation(lambda, sides(smooth.weights()))
                                    .solve(),
                            Offset.offset(1e-9));
        }
    }

    @Test
    void moreFeaturesThanSamplesHaveRegularisedWeightsToo() {
        NDArray a = Gradients.normal(manager, 1, 3, 5);
        NDArray b = Gradients.normal(manager, 2, 4, 1);
        List<NDArray> axes = List.of(a, b);
        NDArray s = samples(axes, 1);
        assertThat(values(SeparableFit.of(axes, s, new Regularization.Ridge(0.1)).weights()))
                .containsExactly(
                        DenseProblem.ofGrid(axes, s).ridge(0.1).solve(), Offset.offset(1e-10));
        assertThat(
                        values(
                                SeparableFit.of(axes, s, new Regularization.TotalVariation(0.1))
                                        .weights()))
                .containsExactly(
                        DenseProblem.ofGrid(axes, s).totalVariation(0.1, 5, 1).solve(),
                        Offset.offset(1e-9));
    }

    @Test
    void gaussiansNeedFewStepsForDifferencesOfWeights() {
        NDArray a = features(new BasisFunction.Gaussian(1.5 / 64), 64, grid(64, 1));
        NDArray s = Gradients.normal(manager, 5, 64, 64, 1);
        SeparableFit fit =
                SeparableFit.of(List.of(a, a), s, new Regularization.TotalVariation(1e-4));
        assertThat(fit.residual()).isLessThanOrEqualTo(1e-12);
        assertThat(fit.iterations()).isLessThan(15);
    }

    /** Triangles as wide as a whole number of spacings: the fit is a bilinear interpolation. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void trianglesOfWholeWidthInterpolateLinearly(int width) {
        int n = 12;
        NDArray a = features(new BasisFunction.Triangle(width / (double) n), n, grid(n, 1));
        NDArray s = Gradients.normal(manager, 6, n, n, 1);
        SeparableFit fit = SeparableFit.of(List.of(a, a), s, new Regularization.CutOff(1e-12));
        NDArray between =
                features(new BasisFunction.Triangle(width / (double) n), n, grid(4 * n, 1));
        NDArray fitted = fit.onGrid(List.of(between, between));
        for (int i = 0; i < 4 * (n - 1); i++) {
            for (int j = 0; j < 4 * (n - 1); j++) {
                double y = i % 4 / 4.0;
                double x = j % 4 / 4.0;
                NDArray corner =
                        s.get(new NDIndex("{}:{}, {}:{}", i / 4, i / 4 + 2, j / 4, j / 4 + 2));
                double[] c = corner.toDoubleArray();
                double bilinear =
                        (1 - y) * ((1 - x) * c[0] + x * c[1]) + y * ((1 - x) * c[2] + x * c[3]);
                assertThat(fitted.getDouble(i, j, 0)).isCloseTo(bilinear, Offset.offset(1e-11));
            }
        }
    }

    /** The authors' whole experiment without chance: PSNR, stable rank and condition. */
    static Stream<JsonArray> synthetic() {
        JsonObject golden = Goldens.read("shifted-basis/synth_image_closed_form.json");
        return Stream.of(golden)
                .flatMap(
                        g ->
                                g
                                        .getAsJsonObject("closed_form")
                                        .getAsJsonArray("rows")
                                        .asList()
                                        .stream())
                .map(JsonElement::getAsJsonArray);
    }

    @ParameterizedTest
    @MethodSource("synthetic")
    void aSyntheticImageIsFittedAsByTheAuthors(JsonArray row) {
        double width = row.get(1).getAsDouble() / 32;
        BasisFunction basis =
                row.get(0).getAsString().equals("gau")
                        ? new BasisFunction.Gaussian(width)
                        : new BasisFunction.Triangle(width);
        NDArray image = manager.create(DeadLeaves.image(64, 3), new Shape(64, 64, 3));
        NDArray s = image.get("::2, ::2");
        NDArray a = features(basis, 32, grid(64, 2));
        SeparableFit fit = SeparableFit.of(List.of(a, a), s, new Regularization.CutOff(1e-10));
        NDArray all = features(basis, 32, grid(64, 1));
        double[] difference = fit.onGrid(List.of(all, all)).sub(image).toDoubleArray();
        double[] sum = new double[2];
        int[] count = new int[2];
        for (int i = 0; i < difference.length; i++) {
            int y = i / 3 / 64;
            int x = i / 3 % 64;
            for (int border = 0; border < 2; border++) {
                boolean counts = y < 64 - border && x < 64 - border;
                if (counts && (y % 2 == 1 || x % 2 == 1)) {
                    sum[border] += difference[i] * difference[i];
                    count[border]++;
                }
            }
        }
        double rank = row.get(2).getAsDouble();
        assertThat(fit.stableRank()).isCloseTo(rank, Offset.offset(1e-10 * rank));
        double[] values = fit.spectra().get(0).singularValues();
        double condition = row.get(3).getAsDouble();
        assertThat(values[0] / values[31]).isCloseTo(condition, Offset.offset(1e-8 * condition));
        for (int border = 0; border < 2; border++) {
            assertThat(-10 * Math.log10(sum[border] / count[border]))
                    .isCloseTo(row.get(4 + border).getAsDouble(), Offset.offset(1e-3));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "FLOAT64"})
    void weightsAreThoseOfAKroneckerLinear(DataType type) {
        List<NDArray> axes = axes(3).stream().map(a -> a.toType(type, true)).toList();
        NDArray s = samples(axes, 2).toType(type, true);
        SeparableFit fit = SeparableFit.of(axes, s, new Regularization.CutOff(1e-3));
        KroneckerLinear layer =
                KroneckerLinear.builder().setUnits(2).setFeatureDimensions(3, 3, 2).build();
        layer.initialize(manager, type, new Shape(5, 3), new Shape(4, 3), new Shape(3, 2));
        layer.setWeights(fit.weights());
        NDArray there = layer.onGrid(axes, new ParameterStore(manager, false), false);
        assertThat(values(there))
                .containsExactly(
                        values(fit.onGrid(axes)),
                        Offset.offset(type == DataType.FLOAT64 ? 1e-12 : 1e-5));
        List<NDArray> rows = List.of(axes.get(0).get(":3"), axes.get(1).get(":3"), axes.get(2));
        NDArray points = layer.atPoints(rows, new ParameterStore(manager, false), false);
        assertThat(fit.atPoints(rows).getDataType()).isEqualTo(type);
        assertThat(values(fit.atPoints(rows)))
                .containsExactly(
                        values(points), Offset.offset(type == DataType.FLOAT64 ? 1e-12 : 1e-5));
    }

    /** Condition 10⁶: solved in float32 the weights would be noise. */
    @Test
    void singlePrecisionKeepsWhatACutOffOfAMillionthNeeds() {
        BasisFunction basis = new BasisFunction.Gaussian(1.65 / 48);
        NDArray exact = features(basis, 48, grid(48, 1));
        NDArray a = exact.toType(DataType.FLOAT32, true);
        NDArray s = Gradients.normal(manager, 8, 48, 48, 1).toType(DataType.FLOAT32, true);
        SeparableFit fit = SeparableFit.of(List.of(a, a), s, new Regularization.CutOff(1e-6));
        double[] values = fit.spectra().get(0).singularValues();
        assertThat(values[0] / values[47]).isBetween(1e5, 1e6);
        assertThat(values(fit.onGrid(List.of(a, a)).sub(s)))
                .containsOnly(new double[] {0}, Offset.offset(1e-4));
    }

    @Test
    void whatCannotBeFittedIsRefused() {
        NDArray a = manager.ones(new Shape(3, 2));
        NDArray s = manager.ones(new Shape(3, 3, 1));
        refused(List.of(a), s, "(3, 3, 1)");
        refused(List.of(), s, "M axes");
        refused(List.of(a, manager.ones(new Shape(4, 2))), s, "(4, 2)");
        refused(List.of(a, manager.ones(new Shape(3, 0))), s, "no axis may be empty");
        refused(List.of(a, manager.zeros(new Shape(3, 2))), s, "all features of axis 1 are 0");
        refused(List.of(a, a), s.toType(DataType.FLOAT16, true), "float16");
        NDArray broken = manager.create(new float[] {1, 2, 3, Float.NaN, 5, 6}, new Shape(2, 3, 1));
        List<NDArray> two = List.of(manager.ones(new Shape(2, 2)), a);
        refused(two, broken, "samples must be finite, got NaN at [1, 0, 0]");
        NDArray infinite = manager.create(new float[] {1, 2, 3, 4, 5, 1 / 0f}, new Shape(3, 2));
        refused(
                List.of(a, infinite),
                s,
                "features of axis 1 must be finite, got Infinity at [2, 1]");
    }

    private void refused(List<NDArray> axes, NDArray samples, String message) {
        assertThatThrownBy(() -> SeparableFit.of(axes, samples, new Regularization.CutOff(1e-3)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @Test
    void whatSamplesCannotDetermineIsSaid() {
        // Copies so narrow that three of the four samples between two centres see none of them.
        NDArray narrow = features(new BasisFunction.Gaussian(1e-3), 4, grid(16, 1));
        NDArray wide = features(new BasisFunction.Gaussian(0.4), 16, grid(16, 1));
        NDArray few = features(new BasisFunction.Triangle(0.25), 4, 0, 0.1, 0.2);
        NDArray s = Gradients.normal(manager, 1, 16, 16, 3, 1);
        SeparableFit fit =
                SeparableFit.of(List.of(narrow, wide, few), s, new Regularization.CutOff(1e-3));
        assertThat(fit.remarks())
                .containsExactly(
                        "axis 0: 12 of 16 samples lie where every feature is 0",
                        "axis 1: 12 of 16 singular values are below the cut-off",
                        "axis 2: 2 of 4 features are 0 at every sample",
                        "axis 2: 1 of 3 singular values are below the cut-off");
        NDArray good = features(new BasisFunction.Gaussian(0.06), 16, grid(16, 1));
        NDArray image = s.get(":, :, 0");
        assertThat(
                        SeparableFit.of(List.of(good, good), image, new Regularization.CutOff(1e-3))
                                .remarks())
                .isEmpty();
    }

    @Test
    void aRelativeRidgeDoesNotKnowTheScaleOfFeatures() {
        NDArray a = Gradients.normal(manager, 1, 6, 3);
        NDArray b = Gradients.normal(manager, 2, 5, 2);
        NDArray s = Gradients.normal(manager, 3, 6, 5, 1);
        List<NDArray> axes = List.of(a, b);
        List<NDArray> scaled = List.of(Scalars.mul(a, 7), b);
        double lambda = Regularization.Ridge.relative(0.1, axes).lambda();
        double rows = norm(values(a)) * norm(values(a)) * norm(values(b)) * norm(values(b)) / 30;
        assertThat(lambda).isCloseTo(0.1 * rows, Offset.offset(1e-12));
        NDArray one = SeparableFit.of(axes, s, new Regularization.Ridge(lambda)).onGrid(axes);
        NDArray other =
                SeparableFit.of(scaled, s, Regularization.Ridge.relative(0.1, scaled))
                        .onGrid(scaled);
        assertThat(values(other)).containsExactly(values(one), Offset.offset(1e-12));
    }

    /** What a family needs, on an image: no family's own choice may lose 0.5 dB to another's. */
    @Test
    void familiesGetTheRegularisationTheyNeed() {
        NDArray image = manager.create(DeadLeaves.image(64, 3), new Shape(64, 64, 3));
        NDArray s = image.get("::2, ::2");
        List<PositionFeatures> families =
                List.of(
                        shifted(new BasisFunction.Gaussian(0.64 / 32), 32),
                        shifted(new BasisFunction.Gaussian(1.6 / 32), 32),
                        shifted(new BasisFunction.Triangle(2 / 32.0), 32),
                        fourier(new FourierFrequencies.Linear(3)),
                        fourier(new FourierFrequencies.Logarithmic(3.5)),
                        fourier(new FourierFrequencies.Random(5.25, 1)));
        for (PositionFeatures family : families) {
            List<NDArray> known = Collections.nCopies(2, features(family, grid(64, 2)));
            List<NDArray> all = Collections.nCopies(2, features(family, grid(64, 1)));
            double best = 0;
            for (double cutOff : new double[] {1e-12, 1e-6, 1e-3, 1e-2, 0.1}) {
                best =
                        Math.max(
                                best,
                                psnr(known, all, s, image, new Regularization.CutOff(cutOff)));
            }
            assertThat(psnr(known, all, s, image, Regularization.suiting(family)))
                    .as(family.toString())
                    .isGreaterThan(best - 0.5);
        }
    }

    private static double psnr(
            List<NDArray> known,
            List<NDArray> all,
            NDArray samples,
            NDArray image,
            Regularization regularization) {
        SeparableFit fit = SeparableFit.of(known, samples, regularization);
        return -10 * Math.log10(fit.onGrid(all).sub(image).square().mean().getDouble());
    }

    @Test
    void regularisationsCheckTheirNumbers() {
        assertThatThrownBy(() -> new Regularization.CutOff(1)).hasMessageContaining("1.0");
        assertThatThrownBy(() -> new Regularization.CutOff(Double.NaN)).hasMessageContaining("NaN");
        assertThatThrownBy(() -> new Regularization.Ridge(0)).hasMessageContaining("0.0");
        assertThatThrownBy(() -> new Regularization.TotalVariation(-1)).hasMessageContaining("-1");
    }

    private double[] grid(int n, int step) {
        return IntStream.range(0, n / step).mapToDouble(i -> i * step / (double) n).toArray();
    }

    private NDArray features(BasisFunction basis, int dimension, double... positions) {
        return features(shifted(basis, dimension), positions);
    }

    private NDArray features(PositionFeatures axis, double... positions) {
        return axis.features(
                Positions.of(manager.create(positions)), new ParameterStore(manager, false), false);
    }

    private static ShiftedBasis shifted(BasisFunction basis, int dimension) {
        return ShiftedBasis.builder().setBasis(basis).setDimension(dimension).build();
    }

    private static FourierFeatures fourier(FourierFrequencies frequencies) {
        return FourierFeatures.builder().setFrequencies(frequencies).setDimension(32).build();
    }

    private NDArray array(JsonElement nested) {
        return manager.create(Goldens.flat(nested), new Shape(Goldens.shape(nested)));
    }

    private static double[] values(NDArray array) {
        return DenseProblem.doubles(array);
    }

    private static double norm(double... values) {
        return Math.sqrt(Arrays.stream(values).map(v -> v * v).sum());
    }
}
