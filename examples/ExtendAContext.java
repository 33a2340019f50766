import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.EasyTrain;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.training.tracker.Tracker;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.posenc.attention.AttentionMask;
import org.posenc.encoding.Positions;
import org.posenc.encoding.rope.Default;
import org.posenc.encoding.rope.Linear;
import org.posenc.encoding.rope.NtkAware;
import org.posenc.encoding.rope.Rope;
import org.posenc.encoding.rope.RopeScaling;
import org.posenc.encoding.rope.RotaryLayout;
import org.posenc.encoding.rope.Yarn;
import org.posenc.kernel.Autograd;
import org.posenc.model.Transformer;
import org.posenc.model.TransformerConfig;
import org.posenc.training.AdamW;
import org.posenc.training.CausalLanguageModelLoss;
import org.posenc.training.SingleDeviceTrainer;
import org.posenc.training.TextCorpus;
import org.posenc.training.TokenWindows;

/**
 * Trains a small decoder on L bytes of context, then reads four times as many with the same
 * weights: as it is, with three scalings of RoPE, and after a short tuning at the longer length:
 * {@code ExtendAContext [text [steps]]}.
 *
 * <p>It prints the loss, in nats per byte, of the same bytes under 1, 2 and 4 times the context,
 * and what each scaling does to the fastest, a middle and the slowest frequency.
 */
public final class ExtendAContext {

    private static final int L = 64;
    private static final int FACTOR = 4;
    private static final int HEAD = 64;

    private ExtendAContext() {}

    public static void main(String[] args) throws Exception {
        Path text = Path.of(args.length > 0 ? args[0] : "src/main/java");
        int steps = args.length > 1 ? Integer.parseInt(args[1]) : 150;
        TextCorpus.Split split = TextCorpus.read(List.of(text)).split(0.1);
        int[] training = bytes(split.training());
        int[] heldOut = bytes(split.heldOut());

        TransformerConfig config =
                TransformerConfig.builder()
                        .setVocabulary(256)
                        .setEmbeddingSize(64)
                        .setLayers(2)
                        .setHeads(1)
                        .build();
        Transformer model = new Transformer(config, rope(new Default()));
        try (Model owner = Model.newInstance("trained", Device.cpu())) {
            owner.setBlock(model);
            train(owner, training, L, steps, 2e-3f);
            System.out.printf(
                    "%-17s%7d%7d%7d   frequencies of pairs 0, 8 and 31%n",
                    "context in bytes", L, 2 * L, FACTOR * L);
            for (Map.Entry<String, RopeScaling> method : methods().entrySet()) {
                Transformer scaled = model.withEncoding(rope(method.getValue()));
                print(method.getKey(), scaled, heldOut, owner.getNDManager());
            }
            // The same weights: nothing is copied, and tuning one tunes the other.
            Transformer longer = model.withEncoding(rope(yarn()));
            try (Model tuned = Model.newInstance("tuned", Device.cpu())) {
                tuned.setBlock(longer);
                train(tuned, training, FACTOR * L, steps / 10, 5e-4f);
                print("yarn, tuned", longer, heldOut, tuned.getNDManager());
            }
        }
    }

    private static Map<String, RopeScaling> methods() {
        Map<String, RopeScaling> methods = new LinkedHashMap<>();
        methods.put("as trained", new Default());
        methods.put("linear", new Linear(FACTOR));
        methods.put("ntk-aware", new NtkAware(FACTOR));
        methods.put("yarn", yarn());
        return methods;
    }

    /** The paper's β of 32 and 1 turns are for contexts of thousands; in 64 tokens few turn so. */
    private static Yarn yarn() {
        OptionalDouble computed = OptionalDouble.empty();
        return new Yarn(FACTOR, L, 4, 1, true, computed, computed, computed);
    }

    private static Rope rope(RopeScaling scaling) {
        return Rope.builder()
                .setHeadDimension(HEAD)
                .setLayout(RotaryLayout.INTERLEAVED)
                .optScaling(scaling)
                .build();
    }

    private static void train(Model model, int[] tokens, int length, int steps, float rate)
            throws Exception {
        try (AdamW adam = AdamW.builder().optLearningRate(Tracker.fixed(rate)).build();
                SingleDeviceTrainer trainer =
                        SingleDeviceTrainer.builder()
                                .setModel(model)
                                .setLoss(new CausalLanguageModelLoss())
                                .setOptimizer(adam)
                                .optClipNorm(1)
                                .build()) {
            int rows = 16 * L / length;
            trainer.initialize(new Shape(rows, length));
            TokenWindows windows = TokenWindows.random(tokens, length, rows, steps, 1);
            for (Batch batch : trainer.iterateDataset(windows)) {
                EasyTrain.trainBatch(trainer, batch);
                trainer.step();
                batch.close();
            }
        }
    }

    private static void print(String name, Transformer model, int[] tokens, NDManager owner)
            throws Exception {
        double[] f = ((Rope) model.encoding()).frequencies(FACTOR * L).inverse();
        System.out.printf(
                "%-17s%7.3f%7.3f%7.3f   %.4f %.5f %.7f%n",
                name,
                loss(model, tokens, L, owner),
                loss(model, tokens, 2 * L, owner),
                loss(model, tokens, FACTOR * L, owner),
                f[0],
                f[8],
                f[31]);
    }

    /** The mean loss of the last 32 bytes of windows, the same bytes whatever the length. */
    private static double loss(Transformer model, int[] tokens, int length, NDManager owner)
            throws Exception {
        int[] ends = new int[32];
        for (int i = 0; i < ends.length; i++) {
            ends[i] = FACTOR * L + i * ((tokens.length - FACTOR * L) / ends.length);
        }
        CausalLanguageModelLoss loss = new CausalLanguageModelLoss();
        double sum = 0;
        try (Autograd.Scope off = Autograd.off();
                NDManager manager = owner.newSubManager()) {
            ParameterStore parameters = new ParameterStore(manager, false);
            TokenWindows windows = TokenWindows.endingAt(tokens, length, 32, 16, ends);
            for (Batch batch : windows.getData(manager)) {
                NDArray ids = batch.getData().head(); // (B, T)
                Positions positions = Positions.range(ids.getManager(), 0, length);
                NDArray logits =
                        model.logits(ids, positions, AttentionMask.none(), parameters, false);
                sum +=
                        loss.evaluate(batch.getLabels(), new NDList(logits)).getFloat()
                                * batch.getSize()
                                / ends.length;
                batch.close();
            }
        }
        return sum;
    }

    private static int[] bytes(TextCorpus text) {
        byte[] bytes = String.join("\n", text.documents()).getBytes(StandardCharsets.UTF_8);
        int[] tokens = new int[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            tokens[i] = bytes[i] & 0xff;
        }
        return tokens;
    }
}
