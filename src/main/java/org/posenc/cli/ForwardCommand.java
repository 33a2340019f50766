package org.posenc.cli;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.LongStream;
import org.posenc.attention.KeyValueCache.Policy;
import org.posenc.checkpoint.ModelFolder;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Settings;
import org.posenc.experiment.language.ForwardPass;
import org.posenc.report.Npy;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code posenc forward}: a model's logits, to be compared with other code's. */
@Command(
        name = "forward",
        description = {
            "Computes the logits of token ids with the model of a Hugging Face folder and writes"
                    + " them as float32, to be compared with what other code computes.",
            "Ids, positions and mask are numbers with commas between them and semicolons between"
                    + " rows, or a file: text with one row a line, or .npy."
        },
        mixinStandardHelpOptions = true)
final class ForwardCommand implements Callable<Integer> {

    /** In which state a cache keeps keys. */
    enum Keys {
        /** As they were rotated, where they stay right, else unrotated. */
        AUTO,
        /** As they were rotated. */
        ROTATED,
        /** As they came; rotated anew in each step. */
        UNROTATED,
        /** Turned on when the frequencies change. */
        REROTATED,
        /** As they were rotated, even where that is wrong by now. */
        HUGGING_FACE
    }

    @Mixin private ModelOptions options;

    @Option(
            names = "--ids",
            required = true,
            paramLabel = "\"1,2,3;4,5,6\"|FILE",
            description = "The tokens, all rows of one length.")
    private String ids;

    @Option(
            names = "--position-ids",
            paramLabel = "LIST|FILE",
            description =
                    "Where the tokens stand: a row for each, or one for all (default: 0, 1, … also"
                            + " where there is a mask, as in the forward pass of transformers).")
    private String positions;

    @Option(
            names = "--attention-mask",
            paramLabel = "LIST|FILE",
            description = "1 for a token, 0 for padding (default: no padding).")
    private String mask;

    @Option(
            names = "--packed",
            description =
                    "A document begins where a position is not the one before it plus one, and"
                            + " tokens see their own document only, as transformers reads positions"
                            + " without a mask.")
    private boolean packed;

    @Option(
            names = "--cached",
            paramLabel = "N",
            description = "Feeds N tokens of each row at a time through a key/value cache.")
    private Integer cached;

    @Option(
            names = "--cache-keys",
            paramLabel = "auto|rotated|unrotated|rerotated|hugging-face",
            defaultValue = "auto",
            description =
                    "In which state the cache keeps keys; they differ where frequencies depend on"
                            + " the length (default: ${DEFAULT-VALUE}, the right one).")
    private String keys;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "FILE.npy",
            description = "Where the logits go: float32, (rows, tokens, vocabulary).")
    private Path out;

    @Spec private CommandSpec spec;

    /** Reads, computes and writes. */
    @Override
    public Integer call() {
        if (!out.toString().endsWith(".npy")) {
            throw new IllegalArgumentException("--out must end in .npy, got \"" + out + "\"");
        }
        ForwardPass pass =
                new ForwardPass(
                        TokenRows.parse("--ids", ids),
                        Optional.ofNullable(positions)
                                .map(text -> TokenRows.parse("--position-ids", text)),
                        Optional.ofNullable(mask)
                                .map(text -> TokenRows.parse("--attention-mask", text)),
                        packed);
        ModelFolder folder = options.open();
        long start = System.nanoTime();
        try (ModelOptions.Loaded loaded = options.load(folder)) {
            double loading = (System.nanoTime() - start) / 1e9;
            NDArray logits =
                    cached == null
                            ? pass.logits(loaded.model(), loaded.manager())
                            : pass.cachedLogits(
                                    loaded.model(),
                                    loaded.manager(),
                                    cached,
                                    policy(loaded.model().encoding()));
            int[] shape =
                    LongStream.of(logits.getShape().getShape())
                            .mapToInt(Math::toIntExact)
                            .toArray();
            // DJL's host arrays hold at most 2³¹ − 1 bytes: a token's scores at a time.
            Npy.write(out, () -> tokens(logits), shape);
            PrintWriter err = spec.commandLine().getErr();
            err.printf(
                    Locale.ROOT,
                    "read in %.1f s, computed in %.1f s%n",
                    loading,
                    (System.nanoTime() - start) / 1e9 - loading);
            err.flush();
            PrintWriter print = spec.commandLine().getOut();
            print.printf("%s: float32 %s%n", out, Arrays.toString(shape));
            print.flush();
        }
        return 0;
    }

    private Policy policy(PositionalEncoding encoding) {
        List<Settings.Key> key = List.of(new Settings.Key("keys", "auto", ""));
        Keys chosen =
                Settings.of("the cache", key, Map.of("keys", keys)).choice("keys", Keys.class);
        return chosen == Keys.AUTO
                ? encoding.keysStayRotated() ? Policy.ROTATED : Policy.UNROTATED
                : Policy.valueOf(chosen.name());
    }

    /** The scores of each token of each row in turn. */
    private static Iterator<float[]> tokens(NDArray logits) {
        long rows = logits.getShape().get(0);
        long length = logits.getShape().get(1);
        return LongStream.range(0, rows * length)
                .mapToObj(
                        i -> {
                            NDIndex place = new NDIndex("{}, {}", i / length, i % length);
                            try (NDArray scores = logits.get(place);
                                    NDArray single = scores.toType(DataType.FLOAT32, false)) {
                                return single.toFloatArray();
                            }
                        })
                .iterator();
    }
}
