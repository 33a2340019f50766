package org.posenc.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.Coordinates;
import org.posenc.encoding.FourierFeatures;
import org.posenc.encoding.FourierFeatures.Order;
import org.posenc.encoding.FourierFrequencies;
import org.posenc.encoding.Kronecker;
import org.posenc.encoding.LearnableFourier;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.encoding.ShiftedBasis;
import org.posenc.kernel.Autograd;
import org.posenc.testing.Goldens;
import org.posenc.testing.Gradients;

/** Networks on grids and at points blended from them, against the same points one by one. */
class CoordinateGridTest {

    private final NDManager manager = NDManager.newBaseManager();
    private final ParameterStore parameters = new ParameterStore(manager, false);

    @AfterEach
    void close() {
        manager.close();
    }

    private static ShiftedBasis gaussians(int dimension, int axes) {
        return ShiftedBasis.builder()
                .setBasis(new BasisFunction.Gaussian(0.2))
                .setDimension(dimension)
                .optPositionDimension(axes)
                .optNormalized(true)
                .build();
    }

    private static FourierFeatures waves(
            FourierFrequencies frequencies, Order order, int dimension, int axes) {
        return FourierFeatures.builder()
                .setFrequencies(frequencies)
                .setDimension(dimension)
                .optPositionDimension(axes)
                .optOrder(order)
                .optNormalized(true)
                .build();
    }

    private static LearnableFourier learnable() {
        return LearnableFourier.builder()
                .setDimension(2)
                .setSigma(2)
                .optFourierDimension(2)
                .optHiddenDimension(2)
                .build();
    }

    static Stream<Arguments> features() {
        FourierFrequencies linear = new FourierFrequencies.Linear(2);
        FourierFrequencies random = new FourierFrequencies.Random(2, 1);
        return Stream.of(
                Arguments.of("complex", true, Kronecker.of(gaussians(5, 1), 2)),
                Arguments.of(
                        "complex, of several kinds",
                        true,
                        Kronecker.of(gaussians(3, 1), learnable(), gaussians(4, 1))),
                Arguments.of("complex, 1-D", true, Kronecker.of(gaussians(5, 1))),
                Arguments.of("simple, 1-D", true, gaussians(5, 1)),
                Arguments.of("simple", true, gaussians(10, 2)),
                Arguments.of("simple, 3-D", true, gaussians(9, 3)),
                Arguments.of("waves by axis", true, waves(linear, Order.BY_AXIS, 12, 2)),
                Arguments.of("waves in pairs", true, waves(linear, Order.INTERLEAVED, 12, 2)),
                Arguments.of("sines first", false, waves(linear, Order.SINES_COSINES, 12, 2)),
                Arguments.of("random", false, waves(random, Order.BY_AXIS, 12, 2)),
                Arguments.of("coordinates", false, new Coordinates(2)),
                Arguments.of(
                        "diagonals",
                        false,
                        ShiftedBasis.builder()
                                .setBasis(new BasisFunction.Triangle(0.3))
                                .setDimension(12)
                                .optPositionDimension(2)
                                .optDirections(ShiftedBasis.Directions.AXES_AND_DIAGONALS)
                                .build()));
    }

    @ParameterizedTest
    @MethodSource("features")
    void aGridIsItsPoints(String name, boolean separable, PositionFeatures features) {
        assertThat(features instanceof Kronecker || !features.separated().isEmpty())
                .isEqualTo(separable);
        for (int depth : new int[] {0, 1, 3}) {
            CoordinateMlp network = network(features, depth);
            List<Positions> axes = axes(features.positionDimension());
            NDArray points = points(axes);
            NDArray expected = network.at(Positions.of(points), parameters, false); // (…, 2)
            NDArray grid = network.onGrid(axes, parameters, false);
            near(grid, expected, 1e-13);
            NDArray phi = features.features(Positions.of(points), parameters, false);
            near(network.of(phi, parameters, false), expected, 1e-13);

            NDList coordinates = new NDList(axes.stream().map(Positions::array).toList());
            near(network.forward(parameters, coordinates, false).head(), expected, 1e-13);
            Shape[] shapes = coordinates.getShapes();
            assertThat(network.getOutputShapes(shapes)[0]).isEqualTo(expected.getShape());
            if (separable) {
                NDList computed = new NDList(network.axisFeatures(axes, parameters, false));
                near(network.ofGrid(computed, parameters, false), expected, 1e-13);
            }
        }
    }

    private static void near(NDArray actual, NDArray expected, double tolerance) {
        assertThat(actual.getShape()).isEqualTo(expected.getShape());
        assertThat(actual.toDoubleArray())
                .containsExactly(expected.toDoubleArray(), Offset.offset(tolerance));
    }

    private CoordinateMlp network(PositionFeatures features, int depth) {
        CoordinateMlp network =
                CoordinateMlp.builder()
                        .setFeatures(features)
                        .optDepth(depth)
                        .optWidth(4)
                        .optOutputs(2)
                        .optSeed(5)
                        .build();
        network.initialize(manager, DataType.FLOAT64, new Shape(1, features.positionDimension()));
        return network;
    }

    private List<Positions> axes(int count) {
        double[][] all = {{0.1, 0.35, 0.8}, {0, 0.6}, {0.2, 0.45, 0.7, 0.95}};
        List<Positions> axes = new ArrayList<>();
        for (int m = 0; m < count; m++) {
            axes.add(Positions.of(manager.create(all[m])));
        }
        return axes;
    }

    /** All points of a grid, (N_0, …, M), or (N_0) where M = 1. */
    private NDArray points(List<Positions> axes) {
        Shape shape = new Shape();
        for (Positions axis : axes) {
            shape = shape.add(axis.length());
        }
        int axesCount = axes.size();
        double[] points = new double[(int) shape.size() * axesCount];
        for (int i = 0; i < shape.size(); i++) {
            int rest = i;
            for (int m = axesCount - 1; m >= 0; m--) {
                int n = (int) shape.get(m);
                points[i * axesCount + m] = axes.get(m).array().getDouble(rest % n);
                rest /= n;
            }
        }
        return manager.create(points, axesCount == 1 ? shape : shape.add(axesCount));
    }

    @ParameterizedTest
    @MethodSource("features")
    void gradientsAreRight(String name, boolean separable, PositionFeatures features) {
        CoordinateMlp network = network(features, 1);
        List<NDArray> leaves = new ArrayList<>();
        for (Parameter p : network.getParameters().values()) {
            p.getArray().setRequiresGradient(false);
            leaves.add(p.getArray());
        }
        List<NDArray> axes =
                axes(features.positionDimension()).stream().map(Positions::array).toList();
        leaves.addAll(axes);
        for (NDArray leaf : leaves) {
            Gradients.check(
                    leaf,
                    x ->
                            network.onGrid(
                                    axes.stream().map(Positions::of).toList(), parameters, true));
        }
        if (separable) {
            NDList blend = new NDList(axes);
            blend.add(manager.create(new long[] {0, 2}, new Shape(1, 2)));
            blend.add(manager.create(new double[] {0.7, 0.3}, new Shape(1, 2)));
            for (NDArray leaf : List.of(leaves.get(0), axes.get(0))) {
                Gradients.check(leaf, x -> network.forward(parameters, blend, true).head());
            }
        }
    }

    /** The first layer alone is blended; what follows is not linear. */
    @Test
    void aBlendIsOfTheFirstLayer() {
        CoordinateMlp network = network(Kronecker.of(gaussians(5, 1), 2), 1);
        List<Positions> axes = axes(2); // 3 × 2
        List<NDArray> a = network.axisFeatures(axes, parameters, false);
        NDArray samples = manager.create(new long[] {0, 5, 3, 4}, new Shape(2, 2));
        NDArray weights = manager.create(new double[] {0.25, 0.75, 1, 0}, new Shape(2, 2));
        NDArray blended = network.blended(a, samples, weights, parameters, false);

        NDArray u = network.complexMap().onGrid(a, parameters, false).reshape(6, 4);
        NDArray first = u.get(0).mul(0.25).add(u.get(5).mul(0.75));
        NDArray h = first.maximum(0).reshape(1, 4);
        Parameter w = network.getParameters().valueAt(1);
        Parameter b = network.getParameters().valueAt(2);
        near(blended.get("0:1"), h.matMul(w.getArray().transpose()).add(b.getArray()), 1e-13);
        NDArray grid = network.ofGrid(a, parameters, false).reshape(6, 2);
        near(blended.get(1), grid.get(3), 1e-13);
    }

    /** A hidden layer of 24 million elements. */
    @Test
    void aLargeGridIsTakenInStripes() {
        for (PositionFeatures features :
                List.of(gaussians(4, 2), Kronecker.of(gaussians(2, 1), 2))) {
            CoordinateMlp network =
                    CoordinateMlp.builder().setFeatures(features).optDepth(1).build();
            network.initialize(manager, DataType.FLOAT32, new Shape(1, 2));
            Positions rows =
                    Positions.of(
                            manager.arange(0f, 310f).toType(DataType.FLOAT64, true).mul(1.0 / 310));
            Positions columns =
                    Positions.of(
                            manager.arange(0f, 303f).toType(DataType.FLOAT64, true).mul(1.0 / 303));
            List<NDArray> a = network.axisFeatures(List.of(rows, columns), parameters, false);
            NDArray stripes = network.ofGrid(a, parameters, false);
            NDArray whole;
            try (Autograd.Scope off = Autograd.off()) {
                whole = network.ofGrid(a, parameters, true); // as training has it
            }
            assertThat(stripes.getShape()).isEqualTo(new Shape(310, 303, 1));
            assertThat(stripes.sub(whole).abs().max().getFloat()).isLessThan(1e-6f);
        }
    }

    @Test
    void startsAsTheAuthorsDo() {
        for (int depth : new int[] {0, 1}) {
            CoordinateMlp network =
                    CoordinateMlp.builder()
                            .setFeatures(Kronecker.of(gaussians(32, 1), 2))
                            .optDepth(depth)
                            .optWidth(16)
                            .optOutputs(3)
                            .build();
            network.initialize(manager, DataType.FLOAT64, new Shape(1, 2));
            int units = depth == 0 ? 3 : 16;
            assertThat(network.getParameters().size()).isEqualTo(1 + 2 * depth);
            NDArray w = network.getParameters().valueAt(0).getArray();
            assertThat(w.getShape()).isEqualTo(new Shape(units, 32, 32));
            double bound = 1 / Math.sqrt(units);
            assertThat(w.abs().max().getDouble()).isBetween(0.99 * bound, bound);
            assertThat(w.mean().getDouble()).isCloseTo(0, Offset.offset(0.05 * bound));
            assertThat(w.square().mean().getDouble())
                    .isCloseTo(bound * bound / 3, Offset.offset(0.05 * bound * bound / 3));
        }
    }

    /** Weights found in closed form give the reference's fit and predict between its samples. */
    @ParameterizedTest
    @ValueSource(strings = {"gau", "tri"})
    void solvedWeightsPredictAsTheReference(String encoder) {
        JsonObject g = Goldens.read("shifted-basis/complex_closed_form_2d_" + encoder + ".json");
        double[] x = Goldens.flat(g.get("grid_x"));
        double[] y = Goldens.flat(g.get("grid_y"));
        BasisFunction basis =
                encoder.equals("gau")
                        ? new BasisFunction.Gaussian(0.15)
                        : new BasisFunction.Triangle(2.0 / 6);
        CoordinateMlp network =
                CoordinateMlp.builder()
                        .setFeatures(Kronecker.of(over(basis, x), over(basis, y)))
                        .optDepth(0)
                        .build();
        network.initialize(manager, DataType.FLOAT64, new Shape(1, 2));
        NDArray w = manager.create(Goldens.flat(g.get("W")), new Shape(1, 6, 6));
        network.complexMap().setWeights(w);
        List<Positions> grid =
                List.of(Positions.of(manager.create(x)), Positions.of(manager.create(y)));
        assertThat(network.onGrid(grid, parameters, false).toDoubleArray())
                .containsExactly(Goldens.flat(g.get("fit")), Offset.offset(1e-12));
        double[] px = Goldens.flat(g.get("predict_x"));
        double[] py = Goldens.flat(g.get("predict_y"));
        List<Positions> between =
                List.of(Positions.of(manager.create(px)), Positions.of(manager.create(py)));
        double[] expected = Goldens.flat(g.get("prediction"));
        assertThat(network.onGrid(between, parameters, false).toDoubleArray())
                .containsExactly(expected, Offset.offset(1e-12));
        assertThat(network.at(Positions.of(points(between)), parameters, false).toDoubleArray())
                .containsExactly(expected, Offset.offset(1e-12));
    }

    private static ShiftedBasis over(BasisFunction basis, double[] samples) {
        double[][] points = new double[samples.length][];
        for (int i = 0; i < samples.length; i++) {
            points[i] = new double[] {samples[i]};
        }
        return ShiftedBasis.builder()
                .setBasis(basis)
                .setDimension(6)
                .optNormalizedOver(points)
                .build();
    }

    @Test
    void savesAndLoads() throws Exception {
        CoordinateMlp network = network(Kronecker.of(gaussians(3, 1), learnable()), 1);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        network.saveParameters(new DataOutputStream(bytes));
        CoordinateMlp same = network(Kronecker.of(gaussians(3, 1), learnable()), 1);
        same.getParameters().forEach(p -> p.getValue().getArray().muli(0));
        same.loadParameters(
                manager, new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
        near(
                same.onGrid(axes(2), parameters, false),
                network.onGrid(axes(2), parameters, false),
                0);
    }

    @Test
    void halvesAreComputedAsHalves() {
        CoordinateMlp network =
                CoordinateMlp.builder()
                        .setFeatures(Kronecker.of(gaussians(5, 1), 2))
                        .optDepth(1)
                        .optWidth(8)
                        .build();
        network.initialize(manager, DataType.FLOAT16, new Shape(1, 2));
        NDArray grid = network.onGrid(axes(2), parameters, false);
        assertThat(grid.getDataType()).isEqualTo(DataType.FLOAT16);
        NDArray at = network.at(Positions.of(points(axes(2))), parameters, false);
        assertThat(grid.toType(DataType.FLOAT64, false).toDoubleArray())
                .containsExactly(
                        at.toType(DataType.FLOAT64, false).toDoubleArray(), Offset.offset(5e-3));
    }

    @Test
    void saysWhatIsWrong() {
        CoordinateMlp plane = network(gaussians(10, 2), 1);
        assertThatThrownBy(() -> plane.onGrid(axes(3), parameters, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a grid needs coordinates (N) for each of 2 axes, got [(3), (2), (4)]");
        NDArray wrong = manager.ones(new Shape(3, 4));
        assertThatThrownBy(() -> plane.ofGrid(List.of(wrong, wrong), parameters, false))
                .hasMessage(
                        "a grid needs features (N, K) for each of 2 axes, got [(3, 4), (3, 4)]");
        assertThatThrownBy(() -> plane.complexMap()).hasMessageContaining("are not complex");
        CoordinateMlp inseparable = network(new Coordinates(2), 1);
        assertThatThrownBy(() -> inseparable.ofGrid(List.of(wrong, wrong), parameters, false))
                .hasMessage(
                        "the features Coordinates of M = 2, D = 2 are not separate along the axes"
                                + " of a grid");
        NDList three = new NDList(wrong, wrong, wrong);
        assertThatThrownBy(() -> plane.forward(parameters, three, false))
                .hasMessageContaining("got 3 arrays");
    }
}
