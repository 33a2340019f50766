package org.posenc.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import org.assertj.core.data.Offset;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.posenc.attention.AttentionMask;
import org.posenc.encoding.Positions;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.CrossEntropy;
import org.posenc.kernel.Precision;
import org.posenc.kernel.Scalars;
import org.posenc.model.Transformer;
import org.posenc.testing.Goldens;

/** A folder's model in mixed precision against the same under torch.autocast. */
class AutocastTest {

    private static final JsonObject GOLDENS = Goldens.read("training/autocast.json");

    @ParameterizedTest
    @EnumSource(Precision.class)
    void logitsLossAndGradientsAreAutocasts(Precision precision) {
        JsonObject wide = expected(Precision.FLOAT32);
        JsonObject theirs = expected(precision);
        double scale = precision == Precision.FLOAT16 ? 1024 : 1;
        try (NDManager manager = NDManager.newBaseManager()) {
            Path folder = Path.of("test-data/goldens/checkpoints/llama_gqa8_2");
            Transformer model = ModelFolder.open(folder).load(manager, DataType.FLOAT32);
            double[] flat = Goldens.flat(GOLDENS.get("ids"));
            long[] tokens = Arrays.stream(flat).mapToLong(id -> (long) id).toArray();
            NDArray ids = manager.create(tokens, new Shape(2, 13));
            ParameterStore parameters = new ParameterStore(manager, false);
            Positions positions = Positions.range(manager, 0, 12);
            double[] logits;
            double[] gradient;
            double loss;
            double squares = 0;
            try (GradientCollector collector = Autograd.collector()) {
                NDArray z;
                try (Autograd.Scope narrow = precision.use()) {
                    z =
                            model.logits(
                                    ids.get(":, :-1"),
                                    positions,
                                    AttentionMask.none(),
                                    parameters,
                                    true);
                }
                NDArray labels = ids.get(":, 1:").reshape(-1);
                NDArray mean = CrossEntropy.mean(z.reshape(24, 64), labels, true);
                collector.backward(Scalars.mul(mean, scale));
                logits = doubles(z);
                loss = mean.getFloat();
                for (Parameter parameter : model.getParameters().values()) {
                    double[] g = doubles(Autograd.gradient(parameter.getArray()));
                    squares += Arrays.stream(g).map(v -> v * v).sum() / (scale * scale);
                }
                NDArray key = model.named().get("layer0.attention.key.weight").getArray();
                NDArray stored =
                        StoredRows.of(model)
                                .get("layer0.attention.key")
                                .apply(Autograd.gradient(key));
                gradient = Arrays.stream(doubles(stored)).map(v -> v / scale).toArray();
            }
            assertThat(loss)
                    .isCloseTo(
                            theirs.get("loss").getAsDouble(),
                            Offset.offset(precision == Precision.FLOAT32 ? 1e-5 : 2e-3));
            assertThat(Math.sqrt(squares))
                    .isCloseTo(theirs.get("norm").getAsDouble(), Percentage.withPercentage(1));
            compare(precision, "logits", logits, theirs, wide);
            compare(precision, "gradient", gradient, theirs, wide);
        }
    }

    /** Ours and theirs are off the float32 values by as much, and off each other by no more. */
    private static void compare(
            Precision precision, String what, double[] ours, JsonObject theirs, JsonObject wide) {
        double[] cast = Goldens.flat(theirs.get(what));
        double[] exact = Goldens.flat(wide.get(what));
        double size = rms(exact, new double[exact.length]);
        double bound = precision == Precision.BFLOAT16 ? 0.02 : 0.003;
        if (precision == Precision.FLOAT32) {
            assertThat(rms(ours, exact)).isLessThan(1e-5 * size);
            return;
        }
        double error = rms(cast, exact);
        assertThat(error).isBetween(1e-5 * size, bound * size);
        assertThat(rms(ours, exact)).as(what).isBetween(0.5 * error, 1.2 * error);
        assertThat(rms(ours, cast)).as(what).isLessThan(1.5 * error);
    }

    private static double rms(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (a[i] - b[i]) * (a[i] - b[i]);
        }
        return Math.sqrt(sum / a.length);
    }

    private static double[] doubles(NDArray x) {
        return x.stopGradient().toType(DataType.FLOAT64, false).toDoubleArray();
    }

    private static JsonObject expected(Precision precision) {
        String name = precision.name().toLowerCase(Locale.ROOT);
        return GOLDENS.getAsJsonObject("cases").getAsJsonObject(name);
    }
}
