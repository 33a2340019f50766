package org.posenc.encoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.kernel.Autograd;
import org.posenc.testing.Gradients;

/** What every encoding that has a name must do, whatever it computes. */
class EncodingContractTest {

    private static final int E = 8;
    private static final int H = 2;
    private static final int D = 4;
    private static final int LENGTH = 16;

    /** Fewer parameters and smaller windows than the standard, for short inputs. */
    private static final Map<String, Map<String, String>> SMALL =
            Map.of(
                    "fourier",
                    Map.of("fourier", "8", "hidden", "4"),
                    "hash-grid",
                    Map.of("levels", "3", "coarsest", "2", "finest", "8", "table", "8"),
                    "pope",
                    Map.of("uniform-phases", "true"), // 0 is at a kink
                    "rerope",
                    Map.of("window", "2"),
                    "self-extend",
                    Map.of("window", "2", "group", "2"),
                    "leaky-rerope",
                    Map.of("window", "2", "log-n", "trained"));

    private final NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");

    @AfterEach
    void close() {
        manager.close();
    }

    static List<String> names() {
        return Encodings.names();
    }

    static List<String> namesWithFeatures() {
        return Encodings.namesWithFeatures();
    }

    static Stream<String> namesWithSettings() {
        return names().stream().filter(name -> !Encodings.named(name).keys().isEmpty());
    }

    static Stream<String> namesWithConfiguration() {
        return names().stream().filter(name -> !name.equals("none"));
    }

    private static PositionalEncoding made(String name, long seed) {
        Site site = new Site(E, H, D, LENGTH, true, seed);
        return Encodings.named(name).forTransformer(site, SMALL.getOrDefault(name, Map.of()));
    }

    private PositionalEncoding initialised(String name, DataType type) {
        PositionalEncoding encoding = made(name, 3);
        encoding.initialize(manager, type, new Shape(2, 5, E));
        return encoding;
    }

    /** What a layer of a Transformer sees. */
    private record Inputs(NDArray tokens, NDArray queries, NDArray keys) {

        static Inputs of(NDManager manager, int batch, int length, DataType type) {
            NDArray tokens = Gradients.normal(manager, 1, batch, length, E);
            NDArray queries = Gradients.normal(manager, 2, batch, H, length, D);
            NDArray keys = Gradients.normal(manager, 3, batch, H, length, D);
            return new Inputs(
                    tokens.toType(type, false),
                    queries.toType(type, false),
                    keys.toType(type, false));
        }
    }

    /** The outputs of all three seams, one after the other. */
    private static NDArray seams(
            PositionalEncoding encoding, Inputs in, Positions positions, boolean training) {
        NDManager pass = in.tokens().getManager();
        ParameterStore parameters = new ParameterStore(pass, false);
        LayerContext asking = new LayerContext(0, in.tokens(), parameters, training);
        LayerContext layer = asking.withKeyNotes(encoding.keyNotes(in.tokens(), positions, asking));
        NDArray embedded = encoding.embed(in.tokens(), positions, parameters, training);
        NDArray scores = // (B, H, T, T)
                encoding.products(in.queries(), in.keys(), positions, positions, layer);
        if (scores == null) {
            NDArray queries = encoding.rotateQueries(in.queries(), positions, layer);
            NDArray keys = encoding.rotateKeys(in.keys(), positions, layer);
            assertThat(queries.getShape().slice(0, 3))
                    .isEqualTo(in.queries().getShape().slice(0, 3));
            assertThat(keys.getShape().slice(0, 3)).isEqualTo(in.keys().getShape().slice(0, 3));
            scores = queries.matMul(keys.swapAxes(2, 3));
        }
        NDArray bias = encoding.bias(in.queries(), in.keys(), positions, positions, layer);
        assertThat(embedded.getShape()).isEqualTo(in.tokens().getShape());
        if (bias != null) {
            assertThat(bias.getDataType()).isEqualTo(in.queries().getDataType());
            scores = scores.add(bias);
        }
        NDArray all = NDArrays.concat(new NDList(embedded.flatten(), scores.flatten()));
        assertThat(all.getDataType()).isEqualTo(in.tokens().getDataType());
        return all;
    }

    private static double[] numbers(NDArray array) {
        return array.toType(DataType.FLOAT64, true).toDoubleArray();
    }

    @ParameterizedTest
    @MethodSource("names")
    void everyPrecisionGivesTheSameInTrainingAndInference(String name) {
        Positions positions = Positions.range(manager, 2, 7);
        double[] exact =
                numbers(
                        seams(
                                initialised(name, DataType.FLOAT64),
                                Inputs.of(manager, 2, 5, DataType.FLOAT64),
                                positions,
                                false));
        PositionalEncoding single = initialised(name, DataType.FLOAT32);
        PositionalEncoding half = initialised(name, DataType.FLOAT16);
        for (boolean training : new boolean[] {false, true}) {
            Inputs in = Inputs.of(manager, 2, 5, DataType.FLOAT32);
            assertThat(numbers(seams(single, in, Positions.range(manager, 2, 7), training)))
                    .containsExactly(exact, Offset.offset(1e-5));
            for (PositionalEncoding encoding : List.of(single, half)) {
                Inputs halves = Inputs.of(manager, 2, 5, DataType.FLOAT16);
                assertThat(
                                numbers(
                                        seams(
                                                encoding,
                                                halves,
                                                Positions.range(manager, 2, 7),
                                                training)))
                        .containsExactly(exact, Offset.offset(0.03));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void rowsOfABatchAndSingleTokensAreEncodedAlike(String name) {
        PositionalEncoding encoding = initialised(name, DataType.FLOAT64);
        Inputs two = Inputs.of(manager, 2, 5, DataType.FLOAT64);
        NDArray shared = manager.create(new long[] {3, 4, 9, 1, 0});
        double[] expected = numbers(seams(encoding, two, Positions.of(shared), false));
        NDArray rows = NDArrays.stack(new NDList(shared, shared));
        assertThat(numbers(seams(encoding, two, Positions.of(rows), false)))
                .containsExactly(expected, Offset.offset(1e-14));

        Inputs one =
                new Inputs(
                        two.tokens().get("1:2, 2:3"),
                        two.queries().get("1:2, :, 2:3"),
                        two.keys().get("1:2, :, 2:3"));
        double[] alone = numbers(seams(encoding, one, Positions.of(shared.get("2:3")), false));
        int tokens = 2 * 5 * E;
        for (int i = 0; i < E; i++) {
            assertThat(alone[i]).isCloseTo(expected[(5 + 2) * E + i], Offset.offset(1e-14));
        }
        for (int h = 0; h < H; h++) { // the score of row 1, token 2 with itself
            int score = tokens + ((H + h) * 5 + 2) * 5 + 2;
            assertThat(alone[E + h]).isCloseTo(expected[score], Offset.offset(1e-13));
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void gradientsAreRight(String name) {
        PositionalEncoding encoding = initialised(name, DataType.FLOAT64);
        Inputs in = Inputs.of(manager, 1, 3, DataType.FLOAT64);
        NDArray ids = manager.create(new long[] {0, 1, 4});
        // One at a time, so that no gradient adds up over the checks.
        encoding.getParameters().values().forEach(p -> p.getArray().setRequiresGradient(false));
        for (Parameter parameter : encoding.getParameters().values()) {
            Gradients.check(
                    parameter.getArray(), p -> seams(encoding, in, Positions.of(ids), true));
        }
        for (NDArray input : List.of(in.tokens(), in.queries(), in.keys())) {
            Gradients.check(input, x -> seams(encoding, in, Positions.of(ids), true));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"axial-rope", "mixed-rope", "mrope"})
    void encodingsOfPointsTakeThemForEachRow(String name) {
        PositionalEncoding encoding = initialised(name, DataType.FLOAT64);
        Inputs in = Inputs.of(manager, 2, 5, DataType.FLOAT64);
        int axes = name.equals("mrope") ? 3 : 2;
        NDArray rows = Gradients.normal(manager, 4, 2, 5, axes).mul(3);
        double[] both = numbers(seams(encoding, in, Positions.points(rows), false));
        NDArray shared = rows.get(1);
        double[] alike = numbers(seams(encoding, in, Positions.points(shared), true));
        int scores = 2 * 5 * E + H * 5 * 5;
        assertThat(Arrays.copyOfRange(alike, scores, alike.length))
                .containsExactly(
                        Arrays.copyOfRange(both, scores, both.length), Offset.offset(1e-13));
        assertThat(alike).isNotEqualTo(both);
        NDArray line = shared.get(":, 0");
        NDArray diagonal = line.expandDims(1).broadcast(5, axes).duplicate();
        assertThat(numbers(seams(encoding, in, Positions.of(line), false)))
                .containsExactly(numbers(seams(encoding, in, Positions.points(diagonal), false)));
        NDArray wrong = Gradients.normal(manager, 4, 5, 4);
        assertThatThrownBy(() -> seams(encoding, in, Positions.points(wrong), false))
                .hasMessageContaining("points of " + axes + " coordinates, got shape (5, 4)");
    }

    /** One training pass over two layers that share a bias: its gradient is that of both. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "learned",
                "fourier",
                "hash-grid",
                "basic",
                "mixed-rope",
                "pope",
                "t5",
                "kerple",
                "fire"
            })
    void layersThatShareWhatIsDerivedAddTheirGradients(String name) {
        PositionalEncoding encoding = initialised(name, DataType.FLOAT64);
        Inputs in = Inputs.of(manager, 1, 3, DataType.FLOAT64);
        NDArray weight = encoding.getParameters().valueAt(0).getArray();
        double[][] gradients = new double[2][];
        for (int layers = 1; layers <= 2; layers++) {
            Positions positions = Positions.range(manager, 0, 3);
            try (GradientCollector collector = Autograd.collector()) {
                NDArray loss = seams(encoding, in, positions, true).square().sum();
                for (int layer = 1; layer < layers; layer++) {
                    loss = loss.add(seams(encoding, in, positions, true).square().sum());
                }
                collector.backward(loss);
                gradients[layers - 1] = weight.getGradient().toDoubleArray();
                Autograd.zeroGradient(weight);
            }
        }
        assertThat(Arrays.stream(gradients[0]).map(Math::abs).max().orElseThrow())
                .isGreaterThan(1e-6);
        for (int i = 0; i < gradients[0].length; i++) {
            assertThat(gradients[1][i]).isCloseTo(2 * gradients[0][i], Offset.offset(1e-9));
        }
    }

    /** Coordinates may be learned or augmented: smooth features pass gradients on to them. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "none",
                "sinusoidal",
                "fourier",
                "hash-grid",
                "basic",
                "random-fourier",
                "linear-frequencies",
                "log-frequencies",
                "gaussian",
                "triangle",
                "sine"
            })
    void gradientsReachThePositions(String name) {
        Space space = new Space(1, E, LENGTH, true, 3);
        PositionFeatures features =
                Encodings.named(name).features(space, SMALL.getOrDefault(name, Map.of()));
        features.initialize(manager, DataType.FLOAT64, new Shape(1));
        ParameterStore parameters = new ParameterStore(manager, false);
        NDArray x = manager.create(new double[] {0.13, 0.52, 0.87});
        Gradients.check(x, p -> features.features(Positions.of(p), parameters, true));
    }

    @ParameterizedTest
    @MethodSource("names")
    void savedAndLoadedItIsTheSame(String name) throws Exception {
        PositionalEncoding encoding = initialised(name, DataType.FLOAT32);
        PositionalEncoding loaded = made(name, 8);
        loaded.loadParameters(manager, stream(encoding));
        Inputs in = Inputs.of(manager, 2, 5, DataType.FLOAT32);
        Positions positions = Positions.range(manager, 0, 5);
        assertThat(numbers(seams(loaded, in, positions, false)))
                .containsExactly(numbers(seams(encoding, in, positions, false)));
    }

    @ParameterizedTest
    @MethodSource("namesWithConfiguration")
    void anotherConfigurationIsRefused(String name) throws Exception {
        PositionalEncoding encoding = initialised(name, DataType.FLOAT32);
        PositionalEncoding other =
                Encodings.named(name)
                        .forTransformer(
                                new Site(2 * E, 2 * H, 2 * D, 40, name.equals("xpos"), 3),
                                Map.of());
        DataInputStream stream = stream(encoding);
        assertThatThrownBy(() -> other.loadParameters(manager, stream))
                .isInstanceOf(MalformedModelException.class)
                .hasMessageMatching("the file holds .*, which does not fit .*");
    }

    private static DataInputStream stream(Block block) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        block.saveParameters(new DataOutputStream(bytes));
        return new DataInputStream(new ByteArrayInputStream(bytes.toByteArray()));
    }

    @ParameterizedTest
    @MethodSource("names")
    void nothingStaysBehindAfterAPass(String name) {
        PositionalEncoding encoding = initialised(name, DataType.FLOAT16); // all casts are needed
        NDManager system = NDManager.newBaseManager(Device.cpu(), "PyTorch").getParentManager();
        int own = -1;
        int all = -1;
        for (int i = 0; i < 210; i++) {
            try (NDManager pass = manager.newSubManager()) {
                Inputs in = Inputs.of(pass, 2, 5, DataType.FLOAT32);
                seams(encoding, in, Positions.range(pass, i % 3, i % 3 + 5), i % 2 == 0);
            }
            if (i == 9) {
                own = manager.getManagedArrays().size();
                all = system.getManagedArrays().size();
            }
        }
        assertThat(manager.getManagedArrays()).hasSize(own);
        assertThat(system.getManagedArrays()).hasSize(all);
    }

    @ParameterizedTest
    @MethodSource("namesWithFeatures")
    void featuresAreABlockThatKnowsItsShapes(String name) {
        for (int m :
                name.equals("learned") || name.equals("sinusoidal")
                        ? new int[] {1}
                        : new int[] {1, 2, 3}) {
            boolean unit = !name.equals("learned");
            PositionFeatures features =
                    Encodings.named(name).features(new Space(m, 24, LENGTH, unit, 3), Map.of());
            Shape points = new Shape(2, 3);
            Shape shape = m == 1 ? points : points.add(m);
            features.initialize(manager, DataType.FLOAT32, shape);
            NDArray positions =
                    unit ? manager.ones(shape).mul(0.3) : manager.ones(shape, DataType.INT64);
            NDArray out =
                    features.forward(
                                    new ParameterStore(manager, false),
                                    new NDList(positions),
                                    false)
                            .singletonOrThrow();
            assertThat(features.positionDimension()).isEqualTo(m);
            assertThat(out.getDataType()).isEqualTo(DataType.FLOAT32);
            assertThat(out.getShape()).isEqualTo(points.add(features.featureDimension()));
            assertThat(features.getOutputShapes(new Shape[] {shape})[0]).isEqualTo(out.getShape());
            assertThat(out.isNaN().any().getBoolean()).isFalse();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"learned", "sinusoidal"})
    void featuresOfOneCoordinateSaySo(String name) {
        Space plane = new Space(2, E, LENGTH, false, 3);
        assertThatThrownBy(() -> Encodings.named(name).features(plane, Map.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("1 coordinate, got 2");
    }

    @Test
    void aTableHasNoRealCoordinates() {
        assertThatThrownBy(
                        () ->
                                Encodings.named("learned")
                                        .features(new Space(1, E, LENGTH, true, 3), Map.of()))
                .hasMessageContaining("real coordinates");
    }

    @ParameterizedTest
    @MethodSource("namesWithSettings")
    void everySettingIsReadAndCheckedWithItsName(String name) {
        NamedEncoding encoding = Encodings.named(name);
        Site site = new Site(E, H, D, LENGTH, true, 3);
        for (Settings.Key key : encoding.keys()) {
            assertThat(key.meaning()).isNotBlank();
            encoding.forTransformer(site, Map.of(key.key(), key.standard()));
            assertThatThrownBy(() -> encoding.forTransformer(site, Map.of(key.key(), "nonsense")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(name + "'s " + key.key())
                    .hasMessageContaining("got \"nonsense\"");
            assertThatThrownBy(() -> encoding.forTransformer(site, Map.of(key.key() + "x", "1")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("did you mean \"" + key.key() + "\"?");
        }
    }

    @Test
    void namesAreTheFieldsAndTheNearestIsOffered() {
        assertThat(names())
                .containsSubsequence(
                        "none",
                        "learned",
                        "sinusoidal",
                        "fourier",
                        "hash-grid",
                        "random-fourier",
                        "linear-frequencies",
                        "log-frequencies",
                        "gaussian",
                        "triangle",
                        "square",
                        "sine",
                        "rectangle",
                        "impulse",
                        "noise",
                        "rope",
                        "axial-rope",
                        "mixed-rope",
                        "mrope",
                        "xpos",
                        "pope",
                        "alibi",
                        "t5");
        assertThatThrownBy(() -> Encodings.named("gausian"))
                .hasMessageContaining("did you mean \"gaussian\"?");
        assertThatThrownBy(() -> Encodings.named("xyzzy-plugh"))
                .hasMessageContaining("; there are \"none\", \"learned\", \"sinusoidal\", ");
        assertThatThrownBy(
                        () ->
                                Encodings.named("alibi")
                                        .features(new Space(1, E, LENGTH, false, 3), Map.of()))
                .hasMessageContaining("alibi acts inside attention");
    }

    @ParameterizedTest
    @ValueSource(strings = {"learned", "fourier", "gaussian", "random-fourier"})
    void featuresMayBeConcatenatedByName(String name) {
        Site site = new Site(E, H, D, LENGTH, true, 3);
        PositionalEncoding encoding =
                Encodings.named(name).forTransformer(site, Map.of("join", "concatenate"));
        encoding.initialize(manager, DataType.FLOAT32, new Shape(2, 5, E));
        Inputs in = Inputs.of(manager, 2, 5, DataType.FLOAT32);
        Positions positions = Positions.range(manager, 0, 5);
        assertThat(numbers(seams(encoding, in, positions, true)))
                .isNotEqualTo(numbers(seams(made("none", 3), in, positions, true)));
        assertThatThrownBy(
                        () ->
                                Encodings.named(name)
                                        .features(
                                                new Space(1, E, LENGTH, false, 3),
                                                Map.of("join", "add")))
                .hasMessageContaining("join");
    }

    /** One position would otherwise be that of every token. */
    @ParameterizedTest
    @ValueSource(strings = {"learned", "sinusoidal", "rope"})
    void positionsThatAreNotTheTokensAreRefused(String name) {
        PositionalEncoding encoding = initialised(name, DataType.FLOAT32);
        Inputs in = Inputs.of(manager, 2, 5, DataType.FLOAT32);
        for (NDArray wrong :
                List.of(
                        manager.zeros(new Shape(1), DataType.INT64),
                        manager.zeros(new Shape(3, 5), DataType.INT64),
                        manager.zeros(new Shape(), DataType.INT64))) {
            assertThatThrownBy(() -> seams(encoding, in, Positions.of(wrong), false))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(
                            "positions must be (5) or (2, 5) for as many tokens, got shape "
                                    + wrong.getShape());
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY})
    void positionsThatAreNotFiniteAreRefused(double value) {
        for (DataType type : List.of(DataType.FLOAT16, DataType.FLOAT32, DataType.FLOAT64)) {
            NDArray array = manager.create(new double[] {1, value, 2}).toType(type, true);
            assertThatThrownBy(() -> Positions.of(array))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("positions must be finite, got " + value);
        }
    }

    @Test
    void positionsPassGradientsWhereverTheyWereMade() {
        NDArray x = manager.create(new double[] {0.5, 2});
        x.setRequiresGradient(true);
        Positions positions;
        try (Autograd.Scope off = Autograd.off()) {
            positions = Positions.of(x);
            assertThat(positions.bounds()).isEqualTo(new Positions.Bounds(0.5, 2));
        }
        try (GradientCollector collector = Autograd.collector()) {
            ParameterStore parameters = new ParameterStore(manager, false);
            NDArray sine = Sinusoidal.of(2).features(positions, parameters, true).get(":, 0");
            collector.backward(sine.sum());
        }
        assertThat(Autograd.gradient(x).toDoubleArray())
                .containsExactly(new double[] {Math.cos(0.5), Math.cos(2)}, Offset.offset(1e-15));
    }

    @Tag("gpu")
    @ParameterizedTest
    @MethodSource("names")
    void theGpuGivesTheSame(String name) {
        assumeTrue(Engine.getEngine("PyTorch").getGpuCount() > 0, "there is no GPU");
        double[] expected =
                numbers(
                        seams(
                                initialised(name, DataType.FLOAT32),
                                Inputs.of(manager, 2, 5, DataType.FLOAT32),
                                Positions.range(manager, 2, 7),
                                true));
        try (NDManager gpu = NDManager.newBaseManager(Device.gpu(), "PyTorch")) {
            PositionalEncoding encoding = made(name, 3);
            encoding.initialize(gpu, DataType.FLOAT32, new Shape(2, 5, E));
            Inputs in = Inputs.of(gpu, 2, 5, DataType.FLOAT32);
            assertThat(numbers(seams(encoding, in, Positions.range(gpu, 2, 7), true)))
                    .containsExactly(expected, Offset.offset(1e-4));
        }
    }
}
