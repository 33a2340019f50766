package org.posenc.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.assertj.core.data.Offset;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.checkpoint.RopeConfig;
import org.posenc.testing.Goldens;

class RopeCommandTest {

    private static final String CONFIGS = "src/test/resources/org/posenc/cli/rope/";

    /** The search for the smallest base of a long context takes a second. */
    private static final List<String> QUICK = List.of("--target-length", "1000");

    @TempDir private Path folder;

    private static Console run(String config, String... more) {
        List<String> line =
                new ArrayList<>(List.of("rope", "--config", CONFIGS + config + ".json"));
        line.addAll(List.of(more));
        if (!line.contains("--target-length")) {
            line.addAll(QUICK);
        }
        return Console.run(line.toArray(String[]::new));
    }

    private static JsonObject json(String config, String... more) {
        Console console =
                run(
                        config,
                        Stream.concat(Stream.of("--json"), Arrays.stream(more))
                                .toArray(String[]::new));
        assertThat(console.err()).isEmpty();
        assertThat(console.code()).isZero();
        return JsonParser.parseString(console.out()).getAsJsonObject();
    }

    private static double[] frequencies(JsonObject result) {
        return Goldens.flat(result.get("invFreq"));
    }

    /** Against Hugging Face's frequencies, and the bound that facts/rope.md has for this base. */
    @Test
    void llamaOfHuggingFace() {
        JsonObject golden =
                Goldens.cases("rope/presets.json").stream()
                        .filter(c -> c.get("name").getAsString().endsWith("Llama-3.1-8B"))
                        .findFirst()
                        .orElseThrow();
        JsonObject result = json("llama-3.1-8b");
        assertThat(result.get("ropeType").getAsString()).isEqualTo("llama3");
        assertThat(result.get("rotaryDim").getAsInt()).isEqualTo(128);
        assertThat(result.get("base").getAsDouble()).isEqualTo(500_000);
        assertThat(result.get("originalMaxPosition").getAsLong()).isEqualTo(8192);
        assertThat(result.get("maxPosition").getAsLong()).isEqualTo(131_072);
        assertThat(result.get("layout").getAsString()).isEqualTo("half-split");
        assertThat(result.get("attentionScaling").getAsDouble()).isEqualTo(1);
        double[] expected = Goldens.flat(golden.get("inv_freq"));
        double[] actual = frequencies(result);
        assertThat(actual).hasSize(64);
        for (int i = 0; i < actual.length; i++) {
            assertThat(actual[i]).isCloseTo(expected[i], Percentage.withPercentage(1e-5));
        }
        assertThat(frequencies(json("llama-3.1-8b", "--precision", "exact")))
                .containsExactly(Goldens.flat(golden.get("inv_freq_f64")), Offset.offset(1e-14));
        int critical = 2 * (int) Math.ceil(64 * Math.log(8192 / (2 * Math.PI)) / Math.log(500_000));
        assertThat(result.get("criticalDimension").getAsInt()).isEqualTo(critical);
        assertThat(result.get("neverTurned").getAsInt()).isEqualTo(64 - critical / 2);
        assertThat(result.get("contextBound").getAsLong()).isEqualTo(18_438);
    }

    @ParameterizedTest
    @CsvSource({"mistral-7b-v0.3, 27115", "qwen2.5-7b, 27115"})
    void theBoundOfABase(String config, long bound) {
        assertThat(json(config).get("contextBound").getAsLong()).isEqualTo(bound);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "llama-3.1-8b",
                "qwen2.5-7b",
                "mistral-7b-v0.3",
                "phi-3-mini-128k",
                "gemma-3-4b",
                "smollm3-3b"
            })
    void oldAndNewKeysAlike(String config) throws IOException {
        Path old = Path.of(CONFIGS + config + ".json");
        JsonObject content = JsonParser.parseString(Files.readString(old)).getAsJsonObject();
        Path rewritten = folder.resolve("config.json");
        Files.writeString(
                rewritten,
                RopeConfig.parse(content)
                        .config()
                        .writeInto(content, RopeConfig.KeyStyle.NEW)
                        .toString());
        assertThat(Files.readString(rewritten)).contains("rope_parameters");
        Console console =
                Console.run(
                        "rope",
                        "--json",
                        "--config",
                        folder.toString(),
                        QUICK.get(0),
                        QUICK.get(1));
        assertThat(console.err()).isEmpty();
        JsonObject result = JsonParser.parseString(console.out()).getAsJsonObject();
        JsonObject before = json(config);
        for (String key : List.of("file", "remarks")) {
            result.remove(key);
            before.remove(key);
        }
        assertThat(result).isEqualTo(before);
    }

    @Test
    void aLayerOfItsOwnKind() {
        JsonObject local = json("gemma-3-4b", "--layer", "4");
        assertThat(local.get("layerType").getAsString()).isEqualTo("sliding_attention");
        assertThat(local.get("base").getAsDouble()).isEqualTo(10_000);
        assertThat(local.get("ropeType").getAsString()).isEqualTo("default");
        JsonObject global = json("gemma-3-4b", "--layer", "5");
        assertThat(global.get("ropeType").getAsString()).isEqualTo("linear");
        assertThat(frequencies(global)[0]).isEqualTo(0.125);
        assertThat(global).isEqualTo(json("gemma-3-4b"));
        JsonObject none = json("smollm3-3b", "--layer", "3");
        assertThat(none.get("ropeType").getAsString()).isEqualTo("none");
        assertThat(none.getAsJsonArray("invFreq")).isEmpty();
        assertThat(run("smollm3-3b", "--layer", "3").out())
                .contains("Layer 3 (no_rope) has no RoPE");
        assertThat(run("smollm3-3b").out()).contains("9 of 36 layers (3, 7, 11, 15, 19, 23, …)");
        Console console = run("gemma-3-4b", "--layer", "34");
        console.assertBadInput();
        assertThat(console.err()).contains("layers 0 to 33, got layer 34");
    }

    @Test
    void aLengthThatDecides() {
        JsonObject standard = json("phi-3-mini-128k");
        assertThat(standard).isEqualTo(json("phi-3-mini-128k", "--seq-len", "4096"));
        JsonObject beyond = json("phi-3-mini-128k", "--seq-len", "4097");
        assertThat(frequencies(beyond)).isNotEqualTo(frequencies(standard));
        assertThat(beyond.get("attentionScaling").getAsDouble())
                .isEqualTo(standard.get("attentionScaling").getAsDouble())
                .isCloseTo(Math.sqrt(1 + Math.log(32) / Math.log(4096)), Offset.offset(1e-12));
        assertThat(run("phi-3-mini-128k").out())
                .contains("LongRoPE switches at 4,096")
                .contains("14 of 48 pairs never turn once within the 4,096 tokens");
    }

    @Test
    void tellsWhatTheNumbersDoNot() {
        assertThat(oneLine(run("llama-3.1-8b").out()))
                .contains("29 of 64 pairs never turn once within the 8,192 tokens")
                .contains(
                        "leaves pairs 0–28 as they are, mixes pairs 29–34 and divides pairs 35–63")
                .contains("looks away from like tokens 18,438 back");
        assertThat(oneLine(run("qwen2.5-7b").out()))
                .contains("YaRN with factor 4 leaves pairs 0–23 as they are")
                .contains("Static YaRN is applied to short texts too")
                .contains("context 131,072 tokens, from 32,768")
                .contains("multiplied by 1.139");
        assertThat(oneLine(run("mistral-7b-v0.3", "--target-length", "32768").out()))
                .contains(
                        "the greater base here does not, since B(m) depends on the base in waves");
        assertThat(oneLine(run("gemma-3-4b").out()))
                .contains("divides every frequency by 8, in short texts too")
                .contains("29 of 34 layers (sliding_attention: 0, 1, 2, 3, 4, 6, …)")
                .contains("Note: head_dim is missing, so 256");
    }

    @Test
    void dynamicScalingLeavesStaleKeys() throws IOException {
        Path file =
                Files.writeString(
                        folder.resolve("config.json"),
                        """
                        {"model_type": "llama", "head_dim": 64, "rope_theta": 10000.0,
                         "max_position_embeddings": 2048, "num_hidden_layers": 2,
                         "rope_scaling": {"type": "dynamic", "factor": 2.0}}
                        """);
        Console console = Console.run("rope", "--config", file.toString());
        assertThat(oneLine(console.out()))
                .contains("plain RoPE up to 2,048 tokens")
                .contains("stale as soon as a text grows beyond 2,048 tokens");
    }

    @Test
    void theSmallestBaseOfATarget() {
        JsonObject result = json("mistral-7b-v0.3", "--target-length", "8192");
        assertThat(result.get("targetLength").getAsLong()).isEqualTo(8192);
        // facts/rope.md has 8.4e4 for 128 components.
        assertThat(result.get("smallestBase").getAsDouble())
                .isCloseTo(8.4e4, Percentage.withPercentage(1));
    }

    @Test
    void comparesTwo() {
        JsonObject result = json("qwen2.5-7b", "--compare", CONFIGS + "mistral-7b-v0.3.json");
        assertThat(result.getAsJsonObject("other").get("ropeType").getAsString())
                .isEqualTo("default");
        assertThat(result.getAsJsonArray("differences").asList())
                .extracting(JsonElement::getAsString)
                .containsExactly(
                        "The type is yarn in the first and default in the second.",
                        "The attention scaling is 1.139 in the first and 1 in the second.",
                        "The frequencies of pairs 24–63 differ, by up to 4 times.");
        assertThat(oneLine(run("qwen2.5-7b", "--compare", CONFIGS + "qwen2.5-7b.json").out()))
                .endsWith("qwen2.5-7b.json: - The frequencies are the same.");
    }

    @Test
    void writesJsonAndAPicture() throws IOException {
        Path out = folder.resolve("new/rope.json");
        Path picture = folder.resolve("new/rope.png");
        Console console =
                run("mistral-7b-v0.3", "--out", out.toString(), "--picture", picture.toString());
        assertThat(console.code()).isZero();
        assertThat(console.out()).contains("head dimension");
        assertThat(JsonParser.parseString(Files.readString(out)))
                .isEqualTo(json("mistral-7b-v0.3"));
        BufferedImage image = ImageIO.read(picture.toFile());
        assertThat(image.getHeight()).isEqualTo(640);
        int white = 0xffffffff;
        assertThat(
                        Arrays.stream(
                                        image.getRGB(
                                                0,
                                                0,
                                                image.getWidth(),
                                                image.getHeight(),
                                                null,
                                                0,
                                                image.getWidth()))
                                .filter(pixel -> pixel != white)
                                .count())
                .isGreaterThan(10_000);
    }

    @Test
    void whatHasNoRopeIsSaid() {
        Console bert = run("bert-base");
        bert.assertBadInput();
        assertThat(bert.err()).contains("there is no RoPE").contains("\"bert\"");
        Console missing = run("nothing");
        missing.assertBadInput();
        assertThat(missing.err()).contains("there is no").contains("nothing.json");
        run("mistral-7b-v0.3", "--seq-len", "0").assertBadInput();
        run("mistral-7b-v0.3", "--target-length", "-1").assertBadInput();
        run("mistral-7b-v0.3", "--precision", "double").assertBadInput();
        run("mistral-7b-v0.3", "--layer", "-1").assertBadInput();
        run("mistral-7b-v0.3", "--picture", "rope.jpg").assertBadInput();
        run("mistral-7b-v0.3", "--out", "rope.csv").assertBadInput();
        Console.run("rope").assertBadInput();
    }

    private static String oneLine(String text) {
        return text.replaceAll("\\s+", " ").strip();
    }
}
