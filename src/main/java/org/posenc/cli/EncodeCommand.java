package org.posenc.cli;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.ParameterStore;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.posenc.encoding.PositionBias;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Positions;
import org.posenc.encoding.rope.PairRotation;
import org.posenc.encoding.rope.Rope;
import org.posenc.encoding.rope.RopeFrequencies;
import org.posenc.encoding.rope.WindowedRope;
import org.posenc.kernel.Autograd;
import org.posenc.report.Npy;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code posenc encode}: an encoding's numbers at given positions. */
@Command(
        name = "encode",
        description = {
            "Computes an encoding at given positions, as JSON or .npy.",
            "Features have the shape (N, D); rope and its kin have cosines and sines (N, D/2, 2) and its"
                    + " frequencies; rerope and its kin have the distances that RoPE is given (N,"
                    + " N); alibi, t5 and their kin have biases (H, N, N), queries in rows."
        },
        mixinStandardHelpOptions = true)
final class EncodeCommand implements Runnable {

    @Mixin private EncodingOptions options;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            description = "A .json or .npy file (default: JSON on the standard output).")
    private Path out;

    @Spec private CommandSpec spec;

    /** Computes and writes. */
    @Override
    public void run() {
        JsonResult.checkName(out, true);
        try (NDManager manager = NDManager.newBaseManager(options.device(), "PyTorch");
                Autograd.Scope off = Autograd.off()) {
            ParameterStore parameters = new ParameterStore(manager, false);
            if (options.encoding().hasFeatures()) {
                PositionFeatures features = options.features(manager);
                Positions positions = options.array(manager, features);
                write(features, "features", features.features(positions, parameters, false), null);
                return;
            }
            PositionalEncoding encoding = options.attention(manager);
            Positions positions = options.array(manager, encoding);
            if (encoding instanceof Rope rope) {
                NDArray table =
                        rope.table(positions, options.type(), parameters, false); // (N, d/2, 2)
                RopeFrequencies inEffect = rope.frequencies(positions).get(0);
                write(rope, "cos_sin", table, inEffect.inverse());
            } else if (encoding instanceof PairRotation rotation) {
                NDArray waves = rotation.waves(positions, options.type(), parameters);
                write(encoding, "cos_sin", waves, null); // (N, D/2, 2), or (H, N, …)
            } else if (encoding instanceof PositionBias bias) {
                NDArray each = bias.bias(positions, positions, options.type(), parameters, false);
                write(bias, "bias", each.squeeze(0), null); // (H, N, N)
            } else if (encoding instanceof WindowedRope window) {
                NDArray distances = window.distances(positions, positions);
                write(window, "distances", distances, null); // (N, N)
            } else {
                throw new IllegalArgumentException(
                        options.encoding().name()
                                + " has no numbers to write: it changes nothing, or only what it is"
                                + " called with");
            }
        }
    }

    private void write(Object block, String name, NDArray result, double[] frequencies) {
        int[] shape =
                Arrays.stream(result.getShape().getShape()).mapToInt(Math::toIntExact).toArray();
        if (out != null && out.toString().endsWith(".npy")) {
            Npy array =
                    result.getDataType() == DataType.FLOAT64
                            ? Npy.of(result.toDoubleArray(), shape)
                            : Npy.of(result.toFloatArray(), shape);
            array.write(out);
            return;
        }
        Map<String, Object> fields = options.provenance(block, result.getDataType());
        fields.put("shape", shape);
        fields.put("positions", JsonResult.positions(options.points()));
        if (frequencies != null) {
            fields.put("frequencies", frequencies);
        }
        double[] values = result.toType(DataType.FLOAT64, false).toDoubleArray();
        fields.put(name, JsonResult.nested(values, shape));
        JsonResult.write(fields, out, spec.commandLine().getOut());
    }
}
