package org.posenc.cli;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import java.nio.file.Path;
import java.util.Map;
import org.posenc.checkpoint.ModelFolder;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.Precision;
import org.posenc.model.Transformer;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What all commands share that run the model of a Hugging Face folder. */
final class ModelOptions {

    private static final Map<String, DataType> TYPES =
            Map.of(
                    "float32", DataType.FLOAT32,
                    "bfloat16", DataType.FLOAT32,
                    "float16", DataType.FLOAT16,
                    "float64", DataType.FLOAT64);

    @Option(
            names = "--model",
            required = true,
            paramLabel = "DIR",
            description =
                    "A Hugging Face folder: config.json, safetensors, often a tokenizer.json.")
    private Path folder;

    @Option(
            names = "--precision",
            paramLabel = "float32|bfloat16|float16|float64",
            defaultValue = "float32",
            description =
                    "What to compute in; bfloat16: products and attention, by copies of the weights"
                            + " beside them, with all else in float32 (default:"
                            + " ${DEFAULT-VALUE}).")
    private String precision;

    @Mixin private DeviceOption device;

    @Mixin private RopeOptions rope;

    /**
     * A folder's model under the RoPE that was asked for.
     *
     * @param folder where it comes from
     * @param context its RoPE and how far it reads
     * @param manager owns the weights, on the device asked for
     * @param model the model
     * @param precision in which this thread computes until it is closed
     */
    record Loaded(
            ModelFolder folder,
            RopeOptions.Context context,
            NDManager manager,
            Transformer model,
            Autograd.Scope precision)
            implements AutoCloseable {

        @Override
        public void close() {
            precision.close();
            manager.close();
        }
    }

    /** Returns the folder, with its configuration checked and its weights not read yet. */
    ModelFolder open() {
        return ModelFolder.open(folder);
    }

    /**
     * Reads the model.
     *
     * @throws IllegalArgumentException if an option or the folder is wrong
     */
    Loaded load(ModelFolder opened) {
        DataType type = TYPES.get(precision);
        if (type == null) {
            throw new IllegalArgumentException(
                    "--precision must be float32, bfloat16, float16 or float64, got \""
                            + precision
                            + "\"");
        }
        Device on = device.device();
        RopeOptions.Context context = rope.of(opened);
        NDManager manager = NDManager.newBaseManager(on, "PyTorch");
        try {
            Transformer model = opened.load(manager, type, context.encoding());
            boolean narrow = precision.equals("bfloat16");
            Precision products = narrow ? Precision.BFLOAT16 : Precision.current();
            return new Loaded(opened, context, manager, model, products.useForInference());
        } catch (RuntimeException e) {
            manager.close();
            throw e;
        }
    }
}
