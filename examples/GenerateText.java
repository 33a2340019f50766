import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.EasyTrain;
import ai.djl.training.dataset.Batch;
import ai.djl.training.tracker.Tracker;
import java.util.List;
import org.posenc.encoding.rope.Rope;
import org.posenc.encoding.rope.RotaryLayout;
import org.posenc.model.Generation;
import org.posenc.model.Sampling;
import org.posenc.model.Transformer;
import org.posenc.model.TransformerConfig;
import org.posenc.training.AdamW;
import org.posenc.training.CausalLanguageModelLoss;
import org.posenc.training.SingleDeviceTrainer;
import org.posenc.training.TokenWindows;

/**
 * Generates text through a key/value cache: prompts of different lengths as one batch, each byte
 * shown as soon as it is chosen, the best one each time or one that is drawn.
 *
 * <p>The model learns a limerick by heart first, which takes a few seconds.
 */
public final class GenerateText {

    /** Edward Lear, A Book of Nonsense (1846). */
    private static final String LIMERICK =
            """
            There was an Old Man with a beard,
            Who said, "It is just as I feared!
            Two Owls and a Hen, four Larks and a Wren,
            Have all built their nests in my beard!"
            """;

    private GenerateText() {}

    public static void main(String[] args) throws Exception {
        try (Model owner = Model.newInstance("limerick", Device.cpu())) {
            Transformer model = trained(owner);

            System.out.println("The best byte each time, shown as it is chosen:");
            String prompt = "There was";
            System.out.print(prompt);
            Generation.builder()
                    .setModel(model)
                    .setMostTokens(100)
                    .optStopTokens('!')
                    .build()
                    .generate(
                            List.of(bytes(prompt)),
                            (row, token) -> {
                                System.out.print((char) token);
                                return true; // false would end this row
                            });
            System.out.println();

            System.out.println("Two prompts in one batch, drawn at temperature 1.5 of the 3 best:");
            List<String> prompts = List.of("Two Owls", "Who said, \"It is");
            List<Generation.Continuation> drawn =
                    Generation.builder()
                            .setModel(model)
                            .setMostTokens(24)
                            .optSampling(Sampling.ofTemperature(1.5).withTopK(3))
                            .optSeed(7)
                            .build()
                            .generate(prompts.stream().map(GenerateText::bytes).toList());
            for (int i = 0; i < prompts.size(); i++) {
                String text = prompts.get(i) + text(drawn.get(i).tokens());
                System.out.println(text.replace('\n', '/') + "  " + drawn.get(i).end());
            }
        }
    }

    private static Transformer trained(Model owner) throws Exception {
        TransformerConfig config =
                TransformerConfig.builder()
                        .setVocabulary(128)
                        .setEmbeddingSize(64)
                        .setLayers(2)
                        .setHeads(2)
                        .build();
        Transformer model =
                new Transformer(
                        config,
                        Rope.builder()
                                .setHeadDimension(32)
                                .setLayout(RotaryLayout.INTERLEAVED)
                                .build());
        owner.setBlock(model);
        try (AdamW adam = AdamW.builder().optLearningRate(Tracker.fixed(3e-3f)).build();
                SingleDeviceTrainer trainer =
                        SingleDeviceTrainer.builder()
                                .setModel(owner)
                                .setLoss(new CausalLanguageModelLoss())
                                .setOptimizer(adam)
                                .optClipNorm(1)
                                .build()) {
            trainer.initialize(new Shape(16, 48));
            int[] tokens = LIMERICK.repeat(2).chars().toArray();
            for (Batch batch :
                    trainer.iterateDataset(TokenWindows.random(tokens, 48, 16, 150, 1))) {
                EasyTrain.trainBatch(trainer, batch);
                trainer.step();
                batch.close();
            }
        }
        return model;
    }

    private static long[] bytes(String text) {
        return text.chars().asLongStream().toArray();
    }

    private static String text(List<Long> tokens) {
        StringBuilder text = new StringBuilder();
        tokens.forEach(token -> text.append((char) token.intValue()));
        return text.toString();
    }
}
