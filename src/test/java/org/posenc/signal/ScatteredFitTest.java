package org.posenc.signal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.Positions;
import org.posenc.encoding.ShiftedBasis;
import org.posenc.testing.Gradients;

/** The iteration against the same problems written out and solved by elimination. */
class ScatteredFitTest {

    private static final Stopping EXACT = new Stopping(1e-13, 2000);

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    private static final List<Regularization> PENALTIES =
            List.of(
                    new Regularization.CutOff(0),
                    new Regularization.Ridge(0.01),
                    new Regularization.TotalVariation(0.05));

    private static double[] solve(DenseProblem problem, Regularization penalty, int... sides) {
        if (penalty instanceof Regularization.Ridge ridge) {
            problem.ridge(ridge.lambda());
        } else if (penalty instanceof Regularization.TotalVariation variation) {
            problem.totalVariation(variation.lambda(), sides);
        }
        return problem.solve();
    }

    @Test
    void partOfAGridIsFittedAsTheDenseProblem() {
        List<NDArray> axes =
                List.of(Gradients.normal(manager, 1, 6, 3), Gradients.normal(manager, 2, 5, 2));
        NDArray s = Gradients.normal(manager, 3, 6, 5, 2);
        boolean[] known = new boolean[30];
        IntStream.range(0, 30).forEach(i -> known[i] = i * 7 % 10 < 6);
        NDArray mask = manager.create(known, new Shape(6, 5));
        for (Regularization penalty : PENALTIES) {
            ScatteredFit fit = ScatteredFit.ofGrid(axes, s, mask, penalty, EXACT);
            assertThat(fit.weights().toDoubleArray())
                    .containsExactly(
                            solve(DenseProblem.ofGrid(axes, s, known), penalty, 3, 2),
                            Offset.offset(1e-9));
        }
        // What is not known may be anything.
        NDArray broken =
                s.mul(mask.toType(DataType.FLOAT64, true).expandDims(-1))
                        .div(mask.toType(DataType.FLOAT64, true).expandDims(-1));
        assertThat(broken.isNaN().any().getBoolean()).isTrue();
        ScatteredFit fit = ScatteredFit.ofGrid(axes, broken, mask, PENALTIES.get(1), EXACT);
        assertThat(fit.weights().toDoubleArray())
                .containsExactly(
                        solve(DenseProblem.ofGrid(axes, s, known), PENALTIES.get(1), 3, 2),
                        Offset.offset(1e-9));
    }

    @Test
    void aWholeGridIsTheClosedForm() {
        List<NDArray> axes =
                List.of(Gradients.normal(manager, 1, 6, 3), Gradients.normal(manager, 2, 5, 2));
        NDArray s = Gradients.normal(manager, 3, 6, 5, 2);
        NDArray all = manager.ones(new Shape(6, 5)).toType(DataType.BOOLEAN, true);
        for (Regularization penalty : PENALTIES) {
            assertThat(ScatteredFit.ofGrid(axes, s, all, penalty, EXACT).weights().toDoubleArray())
                    .containsExactly(
                            SeparableFit.of(axes, s, penalty).weights().toDoubleArray(),
                            Offset.offset(1e-10));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void pointsAreFittedAsTheDenseProblem(int number) {
        List<NDArray> axes =
                List.of(
                                Gradients.normal(manager, 1, 40, 3),
                                Gradients.normal(manager, 2, 40, 2),
                                Gradients.normal(manager, 3, 40, 2))
                        .subList(0, number);
        NDArray s = Gradients.normal(manager, 4, 40, 2);
        int[] sides = {3, 2, 2};
        for (Regularization penalty : PENALTIES) {
            DenseProblem problem = new DenseProblem(List.of(3, 6, 12).get(number - 1));
            for (int p = 0; p < 40; p++) {
                double[] row = {1};
                for (NDArray a : axes) {
                    row = DenseProblem.kronecker(row, a.get(p).toDoubleArray());
                }
                problem.add(row, s.get(p).toDoubleArray());
            }
            ScatteredFit fit = ScatteredFit.ofPoints(axes, s, penalty, EXACT);
            assertThat(fit.residual()).isLessThanOrEqualTo(1e-13);
            assertThat(fit.weights().toDoubleArray())
                    .containsExactly(
                            solve(problem, penalty, Arrays.copyOf(sides, number)),
                            Offset.offset(1e-9));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void blendedPointsAreFittedAsTheDenseProblem(int number) {
        int[] sides = {3, 4, 2};
        int[] grid = {5, 6, 4};
        Random random = new Random(5);
        double[][] points = new double[150][number];
        for (double[] point : points) {
            Arrays.setAll(point, m -> random.nextDouble());
        }
        points[0] = new double[number]; // on a grid point
        NDArray s = Gradients.normal(manager, 4, points.length, 2);
        List<ShiftedBasis> bases =
                IntStream.range(0, number).mapToObj(m -> gaussian(0.4, sides[m])).toList();
        List<Blending> blends =
                IntStream.range(0, number)
                        .mapToObj(m -> Blending.of(bases.get(m), grid[m]))
                        .toList();
        List<NDArray> axes =
                IntStream.range(0, number)
                        .mapToObj(m -> features(bases.get(m), blends.get(m).positions()))
                        .toList();
        Blending.Cells cells = Blending.cells(blends, points);
        for (Regularization penalty : PENALTIES) {
            DenseProblem problem = new DenseProblem(List.of(3, 12, 24).get(number - 1));
            for (int p = 0; p < points.length; p++) {
                double[] sum = null;
                for (int c = 0; c < cells.corners(); c++) {
                    int rest = (int) cells.index()[p * cells.corners() + c];
                    double[] row = {cells.weight()[p * cells.corners() + c]};
                    for (int m = number - 1; m >= 0; m--) {
                        double[] a = axes.get(m).get(rest % grid[m]).toDoubleArray();
                        row = DenseProblem.kronecker(a, row);
                        rest /= grid[m];
                    }
                    double[] before = sum;
                    double[] next = row;
                    sum = before == null ? next : added(before, next);
                }
                problem.add(sum, s.get(p).toDoubleArray());
            }
            ScatteredFit fit = ScatteredFit.ofBlended(axes, blends, points, s, penalty, EXACT);
            double[] expected = solve(problem, penalty, Arrays.copyOf(sides, number));
            double size = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
            assertThat(fit.weights().toDoubleArray())
                    .containsExactly(expected, Offset.offset(1e-7 * size));
        }
    }

    private static double[] added(double[] a, double... b) {
        return IntStream.range(0, a.length).mapToDouble(i -> a[i] + b[i]).toArray();
    }

    @Test
    void leastWeightsThatFitFewSamples() {
        NDArray a = Gradients.normal(manager, 1, 2, 3);
        NDArray s = Gradients.normal(manager, 3, 2, 1);
        ScatteredFit fit =
                ScatteredFit.ofPoints(List.of(a), s, new Regularization.CutOff(0), EXACT);
        NDArray least = SeparableFit.of(List.of(a), s, new Regularization.CutOff(0)).weights();
        assertThat(fit.weights().toDoubleArray())
                .containsExactly(least.toDoubleArray(), Offset.offset(1e-10));
    }

    @Test
    void aChannelThatIsZeroStaysZero() {
        NDArray a = Gradients.normal(manager, 1, 8, 3);
        NDArray s = Gradients.normal(manager, 3, 8, 1);
        NDArray both = s.concat(s.zerosLike(), 1);
        ScatteredFit fit =
                ScatteredFit.ofPoints(List.of(a), both, new Regularization.Ridge(0.1), EXACT);
        assertThat(fit.weights().get(1).toDoubleArray()).containsOnly(0);
        assertThat(fit.residual()).isLessThanOrEqualTo(1e-13);
        NDArray none = s.zerosLike();
        ScatteredFit zero =
                ScatteredFit.ofPoints(List.of(a), none, new Regularization.Ridge(0.1), EXACT);
        assertThat(zero.iterations()).isZero();
        assertThat(zero.weights().toDoubleArray()).containsOnly(0);
    }

    @Test
    void stoppingEndsTheIteration() {
        NDArray a = Gradients.normal(manager, 1, 9, 6);
        NDArray s = Gradients.normal(manager, 3, 9, 1);
        Regularization ridge = new Regularization.Ridge(1e-3);
        boolean[] but4 = {true, true, true, true, false, true, true, true, true};
        NDArray known = manager.create(but4);
        ScatteredFit two = ScatteredFit.ofGrid(List.of(a), s, known, ridge, new Stopping(0, 2));
        assertThat(two.iterations()).isEqualTo(2);
        ScatteredFit rough =
                ScatteredFit.ofGrid(List.of(a), s, known, ridge, new Stopping(0.1, 100));
        assertThat(rough.residual()).isBetween(1e-12, 0.1);
        assertThatThrownBy(() -> new Stopping(1, 5)).hasMessageContaining("1.0");
        assertThatThrownBy(() -> new Stopping(0.1, 0)).hasMessageContaining("0");
    }

    @Test
    void whatCannotBeFittedIsRefused() {
        NDArray a = manager.ones(new Shape(3, 2));
        NDArray s = manager.ones(new Shape(3, 3, 1));
        Regularization ridge = new Regularization.Ridge(1);
        NDArray none = manager.zeros(new Shape(3, 3), DataType.BOOLEAN);
        assertThatThrownBy(() -> ScatteredFit.ofGrid(List.of(a, a), s, none, ridge, EXACT))
                .hasMessageContaining("at least one known sample");
        NDArray row = manager.zeros(new Shape(3), DataType.BOOLEAN);
        assertThatThrownBy(() -> ScatteredFit.ofGrid(List.of(a, a), s, row, ridge, EXACT))
                .hasMessageContaining("boolean")
                .hasMessageContaining("(3, 3)");
        NDArray all = none.logicalNot();
        NDArray bytes = s.toType(DataType.UINT8, true);
        assertThatThrownBy(() -> ScatteredFit.ofGrid(List.of(a, a), bytes, all, ridge, EXACT))
                .hasMessageContaining("uint8");
        NDArray broken = s.div(s.zerosLike());
        assertThatThrownBy(() -> ScatteredFit.ofGrid(List.of(a, a), broken, all, ridge, EXACT))
                .hasMessage("known samples must be finite, got Infinity at [0, 0, 0]");
        assertThatThrownBy(() -> ScatteredFit.ofPoints(List.of(a, a), s, ridge, EXACT))
                .hasMessageContaining("(P, C)");
        Blending blend = Blending.of(gaussian(0.3, 2), 4);
        NDArray values = manager.ones(new Shape(1, 1));
        assertThatThrownBy(
                        () ->
                                ScatteredFit.ofBlended(
                                        List.of(a),
                                        List.of(blend),
                                        new double[][] {{0.5}},
                                        values,
                                        ridge,
                                        EXACT))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("virtual grid");
    }

    private static ShiftedBasis gaussian(double sigma, int dimension) {
        return ShiftedBasis.builder()
                .setBasis(new BasisFunction.Gaussian(sigma))
                .setDimension(dimension)
                .build();
    }

    private NDArray features(ShiftedBasis basis, double... positions) {
        return basis.features(
                Positions.of(manager.create(positions)), new ParameterStore(manager, false), false);
    }
}
