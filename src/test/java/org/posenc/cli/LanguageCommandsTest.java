package org.posenc.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.posenc.report.Npy;
import org.posenc.testing.Goldens;

/** The commands that run the model of a folder, against transformers (test-data/scripts). */
class LanguageCommandsTest {

    private static final Path CHECKPOINTS = Path.of("test-data", "goldens", "checkpoints");
    private static final String OWN = "models/rope-64";

    @TempDir private Path folder;

    static Stream<String> checkpoints() throws IOException {
        try (Stream<Path> all = Files.list(CHECKPOINTS)) {
            return all.map(path -> path.getFileName().toString()).sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("checkpoints")
    void forwardIsHuggingFacesForward(String name) {
        JsonObject expected = Goldens.read("checkpoints/" + name + "/expected.json");
        for (JsonElement element : expected.getAsJsonArray("runs")) {
            JsonObject run = element.getAsJsonObject();
            String what = run.get("name").getAsString();
            if (what.endsWith("recompute")) {
                continue; // as many passes as tokens, of which nobody wants the logits
            }
            int rows = what.startsWith("decode") ? 1 : run.get("batch").getAsInt();
            int length = what.startsWith("decode") ? 28 : run.get("seq_len").getAsInt();
            List<String> options = new ArrayList<>(List.of("--ids"));
            options.add(text(expected.getAsJsonArray("input_ids"), rows, length));
            for (String key : List.of("position_ids", "attention_mask")) {
                if (run.has(key)) {
                    options.add("--" + key.replace('_', '-'));
                    options.add(text(run.getAsJsonArray(key), rows, length));
                }
            }
            if (what.equals("packed")) {
                options.add("--packed");
            }
            if (what.startsWith("decode")) {
                boolean unrotated = what.contains("unrotated");
                String keys = unrotated ? "unrotated" : "hugging-face";
                options.addAll(List.of("--cached", "1", "--cache-keys", keys));
            }
            Npy logits = forward(name, options);
            double[] theirs =
                    Npy.read(
                                    CHECKPOINTS
                                            .resolve(name)
                                            .resolve(
                                                    run.getAsJsonObject("logits")
                                                            .get("file")
                                                            .getAsString()))
                            .values();
            boolean rounded =
                    expected.get("dtype").getAsString().contains("bfloat16")
                            && !run.has("compute_dtype");
            assertThat(apart(logits.values(), theirs, real(run)))
                    .as(name + " " + what)
                    .isLessThan(rounded ? 0.1 : 2e-4);
        }
    }

    /** Which tokens are no padding; null where all are. */
    private static double[] real(JsonObject run) {
        return run.has("attention_mask") ? Goldens.flat(run.get("attention_mask")) : null;
    }

    private static double apart(double[] ours, double[] theirs, double[] real) {
        assertThat(ours).hasSameSizeAs(theirs);
        int vocabulary = real == null ? 1 : ours.length / real.length;
        double apart = 0;
        for (int i = 0; i < ours.length; i++) {
            if (real == null || real[i / vocabulary] != 0) {
                apart = Math.max(apart, Math.abs(ours[i] - theirs[i]));
            }
        }
        return apart;
    }

    private Npy forward(String name, List<String> options) {
        Path out = folder.resolve("logits.npy");
        List<String> all = new ArrayList<>(List.of("forward", "--model"));
        all.add(CHECKPOINTS.resolve(name).toString());
        all.addAll(options);
        all.addAll(List.of("--out", out.toString()));
        Console console = Console.run(all.toArray(new String[0]));
        assertThat(console.code()).as(console.err()).isZero();
        Npy logits = Npy.read(out);
        assertThat(logits.type()).isEqualTo("<f4");
        assertThat(console.out())
                .isEqualTo(out + ": float32 " + Arrays.toString(logits.shape()) + "\n");
        return logits;
    }

    private static String text(JsonArray rows, int count, int length) {
        return StreamSupport.stream(rows.spliterator(), false)
                .limit(count)
                .map(
                        row ->
                                StreamSupport.stream(row.getAsJsonArray().spliterator(), false)
                                        .limit(length)
                                        .map(JsonElement::getAsString)
                                        .collect(Collectors.joining(",")))
                .collect(Collectors.joining(";"));
    }

    @Test
    void chunksOfAnySizeAndFilesOfAnyKindGiveTheSameLogits() throws IOException {
        double[] whole = forward("llama_yarn", List.of("--ids", "5,6,7,8,9;1,2,3,4,5")).values();
        Path lines = Files.writeString(folder.resolve("ids.txt"), "5 6 7 8 9\n1, 2, 3, 4, 5\n");
        Path array = folder.resolve("ids.npy");
        Npy.of(new double[] {5, 6, 7, 8, 9, 1, 2, 3, 4, 5}, "<i8", 2, 5).write(array);
        for (String ids : List.of(lines.toString(), array.toString())) {
            assertThat(forward("llama_yarn", List.of("--ids", ids)).values()).isEqualTo(whole);
        }
        for (String step : List.of("1", "2", "3", "5", "9")) {
            Npy cached =
                    forward("llama_yarn", List.of("--ids", array.toString(), "--cached", step));
            assertThat(cached.shape()).containsExactly(2, 5, 64);
            assertThat(apart(cached.values(), whole, null)).isLessThan(1e-5);
        }
    }

    /** The folder's weights are bfloat16, and so is Hugging Face's arithmetic. */
    @Test
    void bfloat16IsAsNearAsItsEightBitsAllow() {
        JsonObject expected = Goldens.read("checkpoints/llama_bf16/expected.json");
        String ids = text(expected.getAsJsonArray("input_ids"), 2, 40);
        double[] theirs = Npy.read(CHECKPOINTS.resolve("llama_bf16/logits_beyond40.npy")).values();
        List<String> options = List.of("--ids", ids, "--precision", "bfloat16");
        double[] narrow = forward("llama_bf16", options).values();
        assertThat(apart(narrow, theirs, null)).isLessThan(0.1);
        double[] wide = forward("llama_bf16", List.of("--ids", ids)).values();
        assertThat(apart(narrow, wide, null)).isBetween(1e-4, 0.1);
        double[] half =
                forward("llama_bf16", List.of("--ids", ids, "--precision", "float16")).values();
        assertThat(apart(half, wide, null)).isBetween(1e-5, 0.02);
        double[] exact =
                forward("llama_bf16", List.of("--ids", ids, "--precision", "float64")).values();
        assertThat(apart(exact, wide, null)).isBetween(1e-9, 1e-4);
    }

    static List<JsonObject> language() {
        return Goldens.cases("language.json");
    }

    @ParameterizedTest
    @MethodSource("language")
    void perplexityIsThatOfTransformersWindows(JsonObject golden) throws IOException {
        String ids = text(Goldens.read("language.json"));
        Path out = folder.resolve("perplexity.json");
        for (JsonElement element : golden.getAsJsonArray("measures")) {
            JsonObject measure = element.getAsJsonObject();
            int window = measure.get("window").getAsInt();
            int stride = measure.get("stride").getAsInt();
            boolean stateful = golden.get("options").getAsString().contains("dynamic");
            if (stateful && window == 40 && stride == 8) {
                continue; // its last, shorter window has the frequencies of those before it
            }
            run(
                    golden,
                    "perplexity",
                    "--ids",
                    ids,
                    "--window",
                    Integer.toString(window),
                    "--stride",
                    Integer.toString(stride),
                    "--batch",
                    stride == 1 ? "7" : "1",
                    "--out",
                    out.toString());
            JsonObject ours =
                    JsonParser.parseString(Files.readString(out))
                            .getAsJsonObject()
                            .getAsJsonArray("measures")
                            .get(0)
                            .getAsJsonObject();
            assertThat(ours.get("scored")).isEqualTo(measure.get("tokens"));
            assertThat(ours.get("windows")).isEqualTo(measure.get("windows"));
            double loss = measure.get("loss").getAsDouble();
            assertThat(ours.get("loss").getAsDouble())
                    .as("window %d, stride %d", window, stride)
                    .isCloseTo(loss, within(1e-5));
            assertThat(ours.get("perplexity").getAsDouble())
                    .isCloseTo(Math.exp(loss), within(2e-5 * Math.exp(loss)));
        }
    }

    private static String text(JsonObject golden) {
        return StreamSupport.stream(golden.getAsJsonArray("ids").spliterator(), false)
                .map(JsonElement::getAsString)
                .collect(Collectors.joining(","));
    }

    private static Console run(JsonObject golden, String command, String... options) {
        List<String> all = new ArrayList<>(List.of(command, "--model"));
        all.add(CHECKPOINTS.resolve(golden.get("folder").getAsString()).toString());
        all.addAll(List.of(options));
        String rope = golden.get("options").getAsString();
        if (!rope.isEmpty()) {
            all.addAll(List.of(rope.split(" ")));
        }
        Console console = Console.run(all.toArray(new String[0]));
        assertThat(console.code()).as(console.err()).isZero();
        return console;
    }

    @ParameterizedTest
    @MethodSource("language")
    void greedyTextIsTransformersText(JsonObject golden) {
        String prompt =
                Stream.of(text(Goldens.read("language.json")).split(","))
                        .limit(9)
                        .collect(Collectors.joining(","));
        for (String kind : List.of("written", "penalised")) {
            if (!golden.has(kind)) {
                continue;
            }
            Console console =
                    run(
                            golden,
                            "generate",
                            "--ids",
                            prompt,
                            "--max-tokens",
                            "30",
                            "--repetition-penalty",
                            kind.equals("written") ? "1" : "1.3");
            List<String> theirs =
                    StreamSupport.stream(golden.getAsJsonArray(kind).spliterator(), false)
                            .map(JsonElement::getAsString)
                            .toList();
            // Token 2 ends a text in all of these folders.
            int end = theirs.indexOf("2") + 1;
            assertThat(console.out().strip().split(","))
                    .containsExactlyElementsOf(end == 0 ? theirs : theirs.subList(0, end));
            assertThat(console.err())
                    .contains(end == 0 ? "ended by --max-tokens" : "ended by the model");
        }
    }

    @Test
    void textIsPrintedAsItIsWritten() {
        Console whole = generate("--prompt", "The encoding", "--max-tokens", "40");
        assertThat(whole.code()).isZero();
        assertThat(whole.out()).hasSizeGreaterThan(35).endsWith("\n").contains("the");
        String stop = whole.out().substring(8, 13);
        Console stopped =
                generate("--prompt", "The encoding", "--max-tokens", "40", "--stop", stop);
        assertThat(stopped.out())
                .isEqualTo(whole.out().substring(0, whole.out().indexOf(stop)) + "\n");
        assertThat(stopped.err()).contains("ended by --stop");
        InputStream before = System.in;
        try {
            System.setIn(
                    new ByteArrayInputStream("The encoding\n".getBytes(StandardCharsets.UTF_8)));
            assertThat(generate("--max-tokens", "40").out()).isEqualTo(whole.out());
        } finally {
            System.setIn(before);
        }
        List<String> drawn = new ArrayList<>();
        for (String seed : List.of("1", "1", "2")) {
            drawn.add(
                    generate(
                                    "--prompt=The encoding",
                                    "--max-tokens=40",
                                    "--temperature=1",
                                    "--top-k=30",
                                    "--top-p=0.9",
                                    "--seed=" + seed)
                            .out());
        }
        assertThat(drawn.get(0)).isEqualTo(drawn.get(1)).isNotEqualTo(drawn.get(2));
    }

    private static Console generate(String... options) {
        return Console.run(
                Stream.concat(Stream.of("generate", "--model", OWN), Stream.of(options))
                        .toArray(String[]::new));
    }

    @Test
    void perplexityOfTextGrowsWhereTheContextIsTooLongAndNotWhereItIsStretched() {
        String[] common = {
            "perplexity", "--model", OWN, "--text", "LICENSE", "--max-tokens", "1024"
        };
        double near = last(common, "--window", "64");
        double far = last(common, "--window", "256");
        double stretched = last(common, "--window", "256", "--rope", "yarn", "--factor", "4");
        assertThat(far).isGreaterThan(near * 1.05);
        assertThat(stretched).isLessThan(far);
        Console table =
                Console.run(
                        Stream.concat(Stream.of(common), Stream.of("--window", "32,64"))
                                .toArray(String[]::new));
        assertThat(table.out()).contains("1,024 tokens in one text, RoPE default to 64 tokens");
        assertThat(table.out().lines().filter(line -> line.contains("1,023"))).hasSize(2);
    }

    private static double last(String[] common, String... options) {
        Console console =
                Console.run(
                        Stream.concat(Stream.of(common), Stream.of(options))
                                .toArray(String[]::new));
        assertThat(console.code()).as(console.err()).isZero();
        String[] words = console.out().strip().split("\\s+");
        return Double.parseDouble(words[words.length - 1]);
    }

    @Test
    void inspectTellsWhatIsThere() throws IOException {
        Path out = folder.resolve("inspect.json");
        Console console =
                Console.run(
                        "inspect",
                        CHECKPOINTS.resolve("llama_gqa8_2").toString(),
                        "--length",
                        "64,1000000",
                        "--out",
                        out.toString());
        assertThat(console.code()).as(console.err()).isZero();
        assertThat(console.out())
                .contains("2 layers".replace("2 layers", "layers"))
                .contains("8 heads of 8 components and 2 of keys and values")
                .contains("base 500,000, 8 of 8 components turn")
                .contains("--rope yarn --factor 4");
        JsonObject json = JsonParser.parseString(Files.readString(out)).getAsJsonObject();
        long numbers = 0;
        byte[] header = Files.readAllBytes(CHECKPOINTS.resolve("llama_gqa8_2/model.safetensors"));
        int length = header[0] & 0xff | (header[1] & 0xff) << 8 | (header[2] & 0xff) << 16;
        JsonObject tensors =
                JsonParser.parseString(new String(header, 8, length, StandardCharsets.UTF_8))
                        .getAsJsonObject();
        for (String name : tensors.keySet()) {
            if (!name.startsWith("__")) {
                long size = 1;
                for (JsonElement extent : tensors.getAsJsonObject(name).getAsJsonArray("shape")) {
                    size *= extent.getAsLong();
                }
                numbers += size;
            }
        }
        assertThat(json.get("parameters").getAsLong()).isEqualTo(numbers);
        assertThat(json.get("float32Bytes").getAsLong()).isEqualTo(4 * numbers);
        assertThat(json.get("float16Bytes").getAsLong()).isEqualTo(2 * numbers);
        assertThat(json.get("trainingBytes").getAsLong()).isEqualTo(16 * numbers);
        long layers = json.get("layers").getAsLong();
        // Keys and values of 2 heads of 8 components.
        assertThat(json.get("cacheBytesPerToken").getAsLong()).isEqualTo(layers * 2 * 2 * 8 * 4);
        JsonObject far = json.getAsJsonArray("contexts").get(1).getAsJsonObject();
        assertThat(far.get("cacheFloat16Bytes").getAsLong())
                .isEqualTo(layers * 2 * 2 * 8 * 2 * 1_000_000);
        assertThat(far.get("factor").getAsDouble()).isEqualTo(62_500);
        for (String name : checkpoints().toList()) {
            Console each = Console.run("inspect", CHECKPOINTS.resolve(name).toString());
            assertThat(each.code()).as(each.err()).isZero();
        }
    }

    @Test
    void inspectTellsTheWindow() {
        assertThat(inspected("mistral_window"))
                .contains("window        tokens see the last 5, their own too, in every layer;");
        assertThat(inspected("qwen2_window"))
                .contains("tokens see the last 6, their own too, in 2 of 3 layers (0, 2);");
        assertThat(inspected("qwen2")).doesNotContain("window");
    }

    private static String inspected(String name) {
        return Console.run("inspect", CHECKPOINTS.resolve(name).toString()).out();
    }

    static Stream<String> bad() {
        String yarn = CHECKPOINTS.resolve("llama_yarn").toString();
        return Stream.of(
                "forward --model %s --ids 64 --out x.npy".formatted(yarn),
                "forward --model %s --ids -1 --out x.npy".formatted(yarn),
                "forward --model %s --ids 1,2;3 --out x.npy".formatted(yarn),
                "forward --model %s --ids 1.5 --out x.npy".formatted(yarn),
                "forward --model %s --ids nothing.txt --out x.npy".formatted(yarn),
                "forward --model %s --ids ; --out x.npy".formatted(yarn),
                "forward --model %s --ids 1 --out x.json".formatted(yarn),
                "forward --model %s --ids 1 --cached 0 --out x.npy".formatted(yarn),
                "forward --model %s --ids 1,2 --position-ids 1 --out x.npy".formatted(yarn),
                "forward --model %s --ids 1,2 --position-ids -1,0 --out x.npy".formatted(yarn),
                "forward --model %s --ids 1,2 --attention-mask 1,2 --out x.npy".formatted(yarn),
                "forward --model %s --ids 1,2 --packed --out x.npy".formatted(yarn),
                "forward --model %s --ids 1,2 --position-ids 0,0 --packed --cached 1 --out x.npy"
                        .formatted(yarn),
                "forward --model %s --ids 1 --cached 1 --cache-keys no --out x.npy".formatted(yarn),
                "forward --model %s --ids 1 --precision int8 --out x.npy".formatted(yarn),
                "forward --model nowhere --ids 1 --out x.npy",
                "perplexity --model %s --ids 1".formatted(yarn),
                "perplexity --model %s --ids 1,64".formatted(yarn),
                "perplexity --model %s --ids 1,2 --window 1".formatted(yarn),
                "perplexity --model %s --ids 1,2,3 --window 2 --stride 3".formatted(yarn),
                "perplexity --model %s --ids 1,2,3 --batch 0".formatted(yarn),
                "perplexity --model %s --ids 1,2,3 --max-tokens 1".formatted(yarn),
                "perplexity --model %s --text LICENSE".formatted(yarn),
                "perplexity --model %s".formatted(yarn),
                "perplexity --model %s --text nowhere.txt".formatted(OWN),
                "generate --model %s --prompt x".formatted(yarn),
                "generate --model %s --ids 1;2".formatted(yarn),
                "generate --model %s --ids 64".formatted(yarn),
                "generate --model %s --ids 1 --stop x".formatted(yarn),
                "generate --model %s --prompt x --temperature -1".formatted(OWN),
                "generate --model %s --prompt x --top-p 0".formatted(OWN),
                "generate --model %s --prompt x --max-tokens 0".formatted(OWN),
                "generate --model %s --prompt= --max-tokens 2".formatted(OWN),
                "generate --model %s --prompt x --stop=".formatted(OWN),
                "inspect nowhere",
                "inspect %s --length 0".formatted(yarn),
                "inspect %s --out x.txt".formatted(yarn));
    }

    @ParameterizedTest
    @MethodSource("bad")
    void badInputCostsOneSentence(String command) {
        Console.run(command.split(" ")).assertBadInput();
        assertThat(Path.of("x.npy")).doesNotExist();
    }
}
