package org.posenc.cli;

import ai.djl.Device;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.posenc.attention.Lora;
import org.posenc.checkpoint.AdapterFolder;
import org.posenc.checkpoint.ModelFolder;
import org.posenc.experiment.finetuning.DataFiles;
import org.posenc.experiment.finetuning.FinetunePlan;
import org.posenc.experiment.finetuning.FinetuneReport;
import org.posenc.experiment.finetuning.Finetuning;
import org.posenc.experiment.finetuning.Optimization;
import org.posenc.experiment.finetuning.Tuning;
import org.posenc.kernel.Precision;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code posenc finetune}: a folder's model trained on, for a longer context too. */
@Command(
        name = "finetune",
        description = {
            "Fine-tunes the model of a Hugging Face folder, with another scaling of RoPE and a longer"
                    + " context where these are given, and writes a folder that Hugging Face's code"
                    + " reads; measures perplexity against context and passkeys before, during and"
                    + " after.",
            "Metrics, pictures and a page are in OUT/training. An interrupted training goes on"
                    + " where it was when the same command is given again."
        },
        mixinStandardHelpOptions = true)
final class FinetuneCommand implements Callable<Integer> {

    private enum Method {
        FULL,
        LORA
    }

    @Option(
            names = "--model",
            required = true,
            paramLabel = "DIR",
            description = "The folder of the model to start from.")
    private Path model;

    @Option(
            names = "--text",
            arity = "1..*",
            paramLabel = "FILE|DIR",
            description = "Texts to learn: files, each a document, and folders of them.")
    private List<Path> text = List.of();

    @Option(
            names = "--data",
            arity = "1..*",
            paramLabel = "FILE",
            description =
                    "Documents to learn: .jsonl, of which each line has a text or an array of token"
                            + " ids (and labels, -100 for what is not learned), or .npy of token"
                            + " ids, (N) or a document in each row.")
    private List<Path> data = List.of();

    @Option(
            names = "--key",
            paramLabel = "NAME",
            defaultValue = "text",
            description =
                    "The field of a .jsonl line with the text or ids (default: ${DEFAULT-VALUE}).")
    private String key;

    @Option(
            names = "--validation",
            arity = "1..*",
            paramLabel = "FILE|DIR",
            description = "Held-out documents of any of these kinds.")
    private List<Path> validation = List.of();

    @Option(
            names = "--held-out",
            paramLabel = "PART",
            defaultValue = "0.1",
            description =
                    "The share of documents that is held out, without --validation (default:"
                            + " ${DEFAULT-VALUE}).")
    private double heldOut;

    @Mixin private RopeOptions rope;

    @Option(
            names = "--method",
            paramLabel = "lora|full",
            defaultValue = "lora",
            description =
                    "Trains pairs of narrow matrices beside the weights, or all weights (default:"
                            + " ${DEFAULT-VALUE}).")
    private Method method;

    @Option(names = "--rank", paramLabel = "N", description = "LoRA's rank (default: 8).")
    private Integer rank;

    @Option(
            names = "--alpha",
            paramLabel = "X",
            description = "LoRA's pairs are scaled by alpha/rank (default: twice the rank).")
    private Double alpha;

    @Option(names = "--dropout", paramLabel = "P", description = "LoRA's dropout (default: 0).")
    private Double dropout;

    @Option(
            names = "--targets",
            split = ",",
            paramLabel = "NAME",
            description =
                    "The modules that LoRA adapts, by Hugging Face's names (default: those of"
                            + " attention's queries, keys, values and outputs).")
    private List<String> targets = List.of();

    @Option(
            names = "--adapter-only",
            description =
                    "Writes LoRA's pairs alone, into OUT/adapter in peft's format, and not the model"
                            + " with them in OUT; who reads them must give the base the same RoPE.")
    private boolean adapterAlone;

    @Option(
            names = "--freeze",
            paramLabel = "PATTERN",
            description =
                    "With --method full: parameters that are not trained, such as tokens or"
                            + " 'layer[0-5]\\.'; as often as needed.")
    private List<String> frozen = List.of();

    @Option(
            names = "--steps",
            paramLabel = "N",
            defaultValue = "200",
            description = "Steps of the optimizer (default: ${DEFAULT-VALUE}).")
    private int steps;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "4",
            description =
                    "Rows of a batch, each as long as the context (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(
            names = "--accumulation",
            paramLabel = "N",
            defaultValue = "1",
            description = "Batches whose gradients make one step (default: ${DEFAULT-VALUE}).")
    private int accumulation;

    @Option(
            names = "--learning-rate",
            paramLabel = "RATE",
            description = "The highest rate (default: 0.0002 for lora, 0.00002 for full).")
    private Double learningRate;

    @Option(
            names = "--schedule",
            paramLabel = "cosine|linear|constant",
            defaultValue = "cosine",
            description =
                    "What the rate does after the warm-up: falls to 0, or stays (default:"
                            + " ${DEFAULT-VALUE}).")
    private Optimization.Schedule schedule;

    @Option(
            names = "--warmup",
            paramLabel = "N",
            description = "Steps over which the rate rises (default: a twentieth of the steps).")
    private Integer warmup;

    @Option(
            names = "--weight-decay",
            paramLabel = "X",
            defaultValue = "0",
            description =
                    "Decay of weights, but not of biases, norms and embeddings (default:"
                            + " ${DEFAULT-VALUE}).")
    private double decay;

    @Option(
            names = "--betas",
            split = ",",
            paramLabel = "B",
            description = "AdamW's two (default: 0.9,0.999).")
    private double[] betas = {0.9, 0.999};

    @Option(
            names = "--clip",
            paramLabel = "X",
            defaultValue = "1",
            description = "The largest norm of the gradient (default: ${DEFAULT-VALUE}).")
    private double clip;

    @Option(
            names = "--precision",
            paramLabel = "float32|bfloat16|float16",
            defaultValue = "float32",
            description =
                    "Of matrix products and attention; weights, gradients and all else are float32"
                            + " (default: ${DEFAULT-VALUE}).")
    private Precision precision;

    @Option(
            names = "--recompute",
            arity = "0..1",
            paramLabel = "N",
            defaultValue = "0",
            fallbackValue = "1",
            description =
                    "Keeps what goes into every N-th layer only, or every one, and computes the rest"
                            + " again on the way back: less memory, a third more time.")
    private int recomputed;

    @Option(
            names = "--measure-every",
            paramLabel = "N",
            description =
                    "Measures after so many steps, too; 0 for before and after only (default: a"
                            + " quarter of the steps).")
    private Integer measureEvery;

    @Option(
            names = "--windows",
            paramLabel = "N",
            defaultValue = "40",
            description =
                    "Places of the held-out text that are read at each context (default:"
                            + " ${DEFAULT-VALUE}).")
    private int windows;

    @Option(
            names = "--passkeys",
            paramLabel = "N",
            defaultValue = "8",
            description =
                    "Passkeys asked for at each of 5 depths and each context; 0 for none (default:"
                            + " ${DEFAULT-VALUE}).")
    private int passkeys;

    @Option(
            names = "--save-every",
            paramLabel = "N",
            defaultValue = "0",
            description =
                    "Saves the state of the training after so many steps, beside --save-minutes"
                            + " (default: by time alone).")
    private int saveEvery;

    @Option(
            names = "--save-minutes",
            paramLabel = "N",
            defaultValue = "5",
            description =
                    "Saves the state of the training after so many minutes (default:"
                            + " ${DEFAULT-VALUE}).")
    private int saveMinutes;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "DIR",
            description = "The folder of the tuned model.")
    private Path out;

    @Mixin private RunOptions run;

    /** Trains, prints the table, and says where the page is. */
    @Override
    public Integer call() throws IOException {
        FinetunePlan plan = plan(run.device());
        FinetuneReport report;
        try (ProgressLine progress = new ProgressLine("finetune")) {
            report =
                    Finetuning.run(
                            plan, out, run.provenance(plan.settings(), plan.device()), progress);
        }
        run.print(report.text(100), report.page());
        return 0;
    }

    private FinetunePlan plan(Device device) {
        ModelFolder folder = ModelFolder.open(model);
        RopeOptions.Context context = rope.of(folder);
        if (context.length() > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "--length must be at most 2147483647, got " + context.length());
        }
        if (betas.length != 2) {
            throw new IllegalArgumentException(
                    "--betas takes two numbers with a comma between, got " + betas.length);
        }
        Tuning tuning = tuning(folder);
        return new FinetunePlan(
                model,
                new DataFiles(text, data, key, validation, heldOut),
                context.rope(),
                context.encoding(),
                (int) context.length(),
                tuning,
                new Optimization(
                        steps,
                        batch,
                        accumulation,
                        learningRate != null ? learningRate : method == Method.LORA ? 2e-4 : 2e-5,
                        schedule,
                        warmup != null ? warmup : steps / 20,
                        decay,
                        betas[0],
                        betas[1],
                        clip,
                        precision,
                        recomputed),
                new FinetunePlan.Measures(
                        measureEvery != null ? measureEvery : steps / 4, windows, 5, passkeys),
                new FinetunePlan.Saving(saveEvery, Duration.ofMinutes(saveMinutes), adapterAlone),
                run.seed(),
                device);
    }

    private Tuning tuning(ModelFolder folder) {
        if (method == Method.FULL) {
            if (rank != null || alpha != null || dropout != null || !targets.isEmpty()) {
                throw new IllegalArgumentException(
                        "--rank, --alpha, --dropout and --targets belong to --method lora");
            }
            return new Tuning.Full(frozen.stream().map(FinetuneCommand::pattern).toList());
        }
        if (!frozen.isEmpty()) {
            throw new IllegalArgumentException(
                    "--freeze belongs to --method full: lora leaves all weights as they are");
        }
        int r = rank == null ? 8 : rank;
        return new Tuning.LowRank(
                new Lora(
                        r,
                        alpha == null ? 2.0 * r : alpha,
                        dropout == null ? 0 : dropout,
                        false,
                        targets.isEmpty() ? attention(folder) : targets,
                        run.seed()));
    }

    private static List<String> attention(ModelFolder folder) {
        return AdapterFolder.linearModules(folder).stream()
                .filter(module -> Lora.MODULES.get(module).get(0).startsWith("attention."))
                .toList();
    }

    private static Pattern pattern(String text) {
        try {
            return Pattern.compile(text);
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException(
                    "--freeze must be a regular expression, got \"" + text + "\"", e);
        }
    }
}
