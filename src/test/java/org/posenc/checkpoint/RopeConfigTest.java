package org.posenc.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.checkpoint.RopeConfig.KeyStyle;
import org.posenc.encoding.rope.Default;
import org.posenc.encoding.rope.DynamicNtk;
import org.posenc.encoding.rope.Linear;
import org.posenc.encoding.rope.Llama3;
import org.posenc.encoding.rope.LongRope;
import org.posenc.encoding.rope.NtkAware;
import org.posenc.encoding.rope.Proportional;
import org.posenc.encoding.rope.RopeFrequencies;
import org.posenc.encoding.rope.RopeParameters;
import org.posenc.encoding.rope.RopePrecision;
import org.posenc.encoding.rope.RopeScaling;
import org.posenc.encoding.rope.RotaryLayout;
import org.posenc.encoding.rope.Yarn;
import org.posenc.testing.Goldens;

/** Configurations against what Hugging Face's code makes of them. */
class RopeConfigTest {

    private static final Path CHECKPOINTS = Path.of("test-data", "goldens", "checkpoints");

    /** One configuration and what its frequencies are at a length. */
    record Golden(
            String name,
            JsonObject config,
            String layerType,
            long length,
            RopePrecision precision,
            double[] inverse,
            double attentionScaling) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Golden> goldens() {
        List<Golden> goldens = new ArrayList<>();
        for (String file :
                List.of(
                        "default",
                        "linear",
                        "dynamic",
                        "yarn",
                        "longrope",
                        "llama3",
                        "partial",
                        "presets")) {
            for (JsonObject c : Goldens.cases("rope/" + file + ".json")) {
                boolean tensor = text(c, "seq_len_kind").equals("tensor");
                for (String style : List.of("config", "config_old_style", "config_su")) {
                    if (c.has(style)) {
                        goldens.add(
                                new Golden(
                                        text(c, "name") + " " + style,
                                        c.getAsJsonObject(style),
                                        null,
                                        c.get("seq_len").isJsonNull()
                                                ? 1
                                                : c.get("seq_len").getAsLong(),
                                        tensor
                                                ? RopePrecision.HUGGING_FACE
                                                : RopePrecision.HUGGING_FACE_INT_LENGTH,
                                        Goldens.flat(c.get("inv_freq")),
                                        c.get("attention_scaling").getAsDouble()));
                        assertThat(c.get("rotary_dim").getAsInt())
                                .isEqualTo(2 * c.getAsJsonArray("inv_freq").size());
                    }
                }
            }
        }
        for (JsonObject c : Goldens.cases("rope/configs.json")) {
            c.getAsJsonObject("rope")
                    .asMap()
                    .forEach(
                            (type, rope) ->
                                    goldens.add(
                                            new Golden(
                                                    text(c, "name") + " " + type,
                                                    c.getAsJsonObject("config"),
                                                    type.equals("every") ? null : type,
                                                    c.get("length").getAsLong(),
                                                    RopePrecision.HUGGING_FACE,
                                                    Goldens.flat(
                                                            rope.getAsJsonObject().get("inv_freq")),
                                                    rope.getAsJsonObject()
                                                            .get("attention_scaling")
                                                            .getAsDouble())));
        }
        for (String name : CHECKPOINTS.toFile().list()) {
            JsonObject expected = Goldens.read("checkpoints/" + name + "/expected.json");
            for (JsonElement element : expected.getAsJsonArray("runs")) {
                JsonObject run = element.getAsJsonObject();
                for (String file : List.of("config", "config_alt")) {
                    if (run.has("inv_freq_used")) {
                        goldens.add(
                                new Golden(
                                        name + " " + text(run, "name") + " " + file,
                                        Goldens.read("checkpoints/" + name + "/" + file + ".json"),
                                        null,
                                        length(run),
                                        RopePrecision.HUGGING_FACE,
                                        Goldens.flat(run.get("inv_freq_used")),
                                        run.get("attention_scaling").getAsDouble()));
                    }
                }
            }
        }
        return goldens.stream();
    }

    /** Hugging Face's length is the greatest position, plus 1. */
    private static long length(JsonObject run) {
        return run.has("position_ids")
                ? 1
                        + (long)
                                Arrays.stream(Goldens.flat(run.get("position_ids")))
                                        .max()
                                        .getAsDouble()
                : run.get("seq_len").getAsLong();
    }

    private static String text(JsonObject json, String key) {
        return json.has(key) ? json.get(key).getAsString() : "";
    }

    @Test
    void everyGoldenConfigurationGivesItsFrequencies() {
        int files = 0;
        for (Golden golden : goldens().toList()) {
            RopeConfig config = RopeConfig.parse(golden.config()).config();
            String type = golden.layerType() == null ? config.mainType() : golden.layerType();
            RopeFrequencies ours =
                    config.parameters()
                            .get(type)
                            .orElseThrow()
                            .frequencies(golden.length(), golden.precision());
            assertThat(ours.attentionScaling())
                    .as(golden.name())
                    .isCloseTo(golden.attentionScaling(), Offset.offset(1e-9));
            assertThat(ours.inverse())
                    .as(golden.name())
                    .containsExactly(Arrays.stream(golden.inverse()).map(x -> (float) x).toArray());
            files++;
        }
        assertThat(files).isGreaterThan(500);
    }

    @Test
    void layersAreThoseOfHuggingFace() {
        int compared = 0;
        for (JsonObject c : Goldens.cases("rope/configs.json")) {
            RopeConfig config = RopeConfig.parse(c.getAsJsonObject("config")).config();
            if (c.has("layer_types")) {
                assertThat(config.layerTypes())
                        .as(text(c, "name"))
                        .isEqualTo(
                                c.getAsJsonArray("layer_types").asList().stream()
                                        .map(JsonElement::getAsString)
                                        .toList());
                compared++;
            }
            if (c.has("layers_with_rope")) {
                assertThat(
                                IntStream.range(0, config.layerTypes().size())
                                        .mapToObj(i -> config.layer(i).isPresent())
                                        .toList())
                        .as(text(c, "name"))
                        .isEqualTo(
                                c.getAsJsonArray("layers_with_rope").asList().stream()
                                        .map(JsonElement::getAsBoolean)
                                        .toList());
                compared++;
            }
        }
        assertThat(compared).isGreaterThan(15);
    }

    @ParameterizedTest
    @EnumSource(KeyStyle.class)
    void whatIsReadAndWrittenIsReadAgain(KeyStyle style) {
        for (Golden golden : goldens().toList()) {
            RopeConfig config = RopeConfig.parse(golden.config()).config();
            if (style == KeyStyle.NEW || sayableInOldKeys(config)) {
                assertThat(RopeConfig.parse(config.write(style)).config())
                        .as(golden.name())
                        .isEqualTo(config);
            }
            JsonObject whole = golden.config().deepCopy();
            whole.addProperty("hidden_act", "silu");
            if (style == KeyStyle.NEW || sayableInOldKeys(config)) {
                JsonObject rewritten = config.writeInto(whole, style);
                assertThat(rewritten.has("hidden_act")).isTrue();
                assertThat(
                                rewritten.has(
                                        style == KeyStyle.NEW ? "rope_scaling" : "rope_parameters"))
                        .isFalse();
                assertThat(RopeConfig.parse(rewritten).config())
                        .as(golden.name())
                        .isEqualTo(config);
            }
        }
    }

    private static boolean sayableInOldKeys(RopeConfig config) {
        try {
            config.write(KeyStyle.OLD);
            return true;
        } catch (IllegalArgumentException e) {
            assertThat(e).hasMessageContaining("the old keys cannot say");
            return false;
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void anyConfigurationIsReadAsItWasWritten(long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < 500; i++) {
            RopeConfig config = random(random);
            for (KeyStyle style : KeyStyle.values()) {
                if (style == KeyStyle.NEW || sayableInOldKeys(config)) {
                    JsonObject json = config.write(style);
                    JsonObject read = JsonParser.parseString(json.toString()).getAsJsonObject();
                    assertThat(RopeConfig.parse(read).config())
                            .as(json.toString())
                            .isEqualTo(config);
                }
            }
        }
    }

    private static RopeConfig random(Random random) {
        String type =
                List.of(
                                "llama",
                                "mistral",
                                "qwen2",
                                "qwen3",
                                "phi",
                                "phi3",
                                "gpt_neox",
                                "gptj",
                                "gemma3_text",
                                "olmo3",
                                "smollm3",
                                "cohere2",
                                "glm",
                                "",
                                "house")
                        .get(random.nextInt(15));
        long max = 1 + random.nextInt(200_000);
        int head = 2 * (2 + random.nextInt(80));
        Optional<RotaryLayout> layout =
                ModelFamily.of(type)
                        .map(ModelFamily::layout)
                        .or(
                                () ->
                                        random.nextBoolean()
                                                ? Optional.empty()
                                                : Optional.of(RotaryLayout.INTERLEAVED));
        int layers = 1 + random.nextInt(9);
        Map<String, Optional<RopeParameters>> parameters = new LinkedHashMap<>();
        List<String> types;
        RopeParameters one = random(random, head, max);
        if (type.equals("gemma3_text")
                || type.equals("olmo3")
                || random.nextInt(5) == 0 && !type.equals("cohere2") && !type.equals("smollm3")) {
            parameters.put("sliding_attention", Optional.of(random(random, head, max)));
            parameters.put("full_attention", Optional.of(one));
            types =
                    random.ints(layers, 0, 2)
                            .mapToObj(k -> k == 0 ? "sliding_attention" : "full_attention")
                            .toList();
        } else if (type.equals("cohere2")) {
            parameters.put("sliding_attention", Optional.of(one));
            parameters.put("full_attention", Optional.empty());
            types = List.of("sliding_attention", "full_attention", "sliding_attention");
        } else if (type.equals("smollm3") || random.nextInt(4) == 0) {
            parameters.put(RopeConfig.EVERY, Optional.of(one));
            parameters.put(RopeConfig.NONE, Optional.empty());
            types = List.of(RopeConfig.EVERY, RopeConfig.NONE, RopeConfig.EVERY);
        } else {
            parameters.put(RopeConfig.EVERY, Optional.of(one));
            types =
                    random.nextBoolean()
                            ? List.of()
                            : Collections.nCopies(layers, RopeConfig.EVERY);
        }
        boolean sections = random.nextInt(6) == 0 && parameters.size() == 1;
        int pairs = one.rotaryDimension() / 2;
        return new RopeConfig(
                type,
                layout,
                max,
                parameters,
                types,
                sections
                        ? Optional.of(
                                new RotarySections(
                                        List.of(pairs - pairs / 4, pairs / 4),
                                        random.nextBoolean()))
                        : Optional.empty());
    }

    private static RopeParameters random(Random random, int head, long max) {
        double base = 2 + random.nextInt(1_000_000) / 7.0;
        int rotary = random.nextBoolean() ? head : 2 * (2 + random.nextInt(head / 2 - 1));
        RopeScaling scaling = randomScaling(random, rotary, max);
        return new RopeParameters(
                head, scaling instanceof Proportional ? head : rotary, base, scaling);
    }

    private static RopeScaling randomScaling(Random random, int rotary, long max) {
        double factor = 1 + random.nextInt(400) / 7.0;
        long original = 1 + random.nextInt((int) max);
        return switch (random.nextInt(7)) {
            case 0 -> new Linear(factor);
            case 1 -> new DynamicNtk(factor, max);
            case 2 ->
                    new Yarn(
                            factor,
                            original,
                            10 + random.nextDouble(),
                            1 + random.nextDouble(),
                            random.nextBoolean(),
                            random.nextBoolean() ? OptionalDouble.empty() : OptionalDouble.of(1.1),
                            random.nextBoolean() ? OptionalDouble.empty() : OptionalDouble.of(0.7),
                            random.nextBoolean() ? OptionalDouble.empty() : OptionalDouble.of(0.9));
            case 3 ->
                    new LongRope(
                            random.doubles(rotary / 2, 1, 4).toArray(),
                            random.doubles(rotary / 2, 1, 60).toArray(),
                            Math.min(max, original + 1) < 2 ? 2 : Math.min(max, original + 1),
                            random.nextBoolean()
                                    ? (double) max
                                            / (Math.min(max, original + 1) < 2
                                                    ? 2
                                                    : Math.min(max, original + 1))
                                    : factor,
                            random.nextBoolean() ? OptionalDouble.empty() : OptionalDouble.of(1.2));
            case 4 -> new Llama3(factor, 1, 1 + random.nextInt(4), original);
            case 5 -> new Proportional(0.5 + random.nextDouble() / 2, factor);
            default -> new Default();
        };
    }

    @Test
    void readsAFileAFolderAndTheTextModelOfALargerOne() throws IOException {
        Path folder = CHECKPOINTS.resolve("qwen3");
        RopeConfig config = RopeConfig.read(folder).config();
        assertThat(config).isEqualTo(RopeConfig.read(folder.resolve("config.json")).config());
        assertThat(config.modelType()).isEqualTo("qwen3");
        assertThat(config.layout()).contains(RotaryLayout.HALF_SPLIT);
        assertThat(config.layer(1)).contains(RopeParameters.of(16, 1e6, new Default()));
        JsonObject outer = new JsonObject();
        outer.addProperty("model_type", "something_else");
        outer.add("text_config", Goldens.read("checkpoints/qwen3/config.json"));
        assertThat(RopeConfig.parse(outer).config()).isEqualTo(config);
        JsonObject rewritten = config.writeInto(outer, KeyStyle.NEW);
        assertThat(rewritten.getAsJsonObject("text_config").has("rope_parameters")).isTrue();
        assertThat(RopeConfig.parse(rewritten).config()).isEqualTo(config);
        assertThat(outer.toString()).doesNotContain("rope_parameters");
    }

    @Test
    void saysWhatItTakesForGranted() {
        RopeConfig.Parsed gemma =
                parse(
                        """
                        {"model_type": "gemma3_text", "hidden_size": 2560, "num_hidden_layers": 34,
                         "rope_scaling": {"factor": 8.0, "rope_type": "linear"}}
                        """);
        assertThat(gemma.remarks())
                .anyMatch(r -> r.contains("head_dim is missing, so 256"))
                .anyMatch(r -> r.contains("rope_theta is missing, so 1000000"))
                .anyMatch(r -> r.contains("max_position_embeddings is missing, so 131,072"));
        assertThat(gemma.config().layer(5)).contains(RopeParameters.of(256, 1e6, new Linear(8)));
        assertThat(gemma.config().layer(4)).contains(RopeParameters.of(256, 1e4, new Default()));
        RopeConfig.Parsed qwen3 =
                parse(
                        """
                        {"model_type": "qwen3", "head_dim": 128, "max_position_embeddings": 40960,
                         "rope_theta": 1000000, "rope_scaling": {"rope_type": "yarn",
                         "factor": 4.0, "original_max_position_embeddings": 32768}}
                        """);
        assertThat(qwen3.remarks()).singleElement().asString().contains("factor 4 is in effect");
        RopeConfig.Parsed llama =
                parse(
                        """
                        {"model_type": "llama", "head_dim": 64, "max_position_embeddings": 2048,
                         "rope_theta": 10000, "partial_rotary_factor": 0.5}
                        """);
        assertThat(llama.config().layer(0).orElseThrow().rotaryDimension()).isEqualTo(32);
        assertThat(llama.remarks()).singleElement().asString().contains("transformers 5 turns");
    }

    /** Where transformers 5.18 reads something else than the file says (facts/rope.md, 2). */
    @Test
    void readsWhatTheFileSaysWhereHuggingFaceDoesNot() {
        RopeConfig yarn =
                parse(
                                """
                                {"model_type": "gemma3_text", "head_dim": 64,
                                 "max_position_embeddings": 4096, "num_hidden_layers": 6,
                                 "rope_parameters": {
                                  "full_attention": {"rope_type": "yarn", "rope_theta": 10000,
                                   "factor": 4, "original_max_position_embeddings": 1024,
                                   "truncate": false},
                                  "sliding_attention": {"rope_type": "default",
                                   "rope_theta": 10000}}}
                                """)
                        .config();
        assertThat(((Yarn) yarn.layer(5).orElseThrow().scaling()).truncate()).isFalse();
        String su =
                """
                {"model_type": "phi3", "hidden_size": 16, "num_attention_heads": 2,
                 "max_position_embeddings": 64, "original_max_position_embeddings": 16,
                 "rope_scaling": {"type": "%s", "short_factor": [1, 1, 1, 1],
                 "long_factor": [1, 2, 3, 4]}}
                """;
        assertThat(parse(su.formatted("su")).config())
                .isEqualTo(parse(su.formatted("longrope")).config())
                .isEqualTo(parse(su.formatted("yarn")).config());
        RopeConfig phi3 =
                parse(
                                """
                                {"model_type": "phi3", "head_dim": 8,
                                 "max_position_embeddings": 64,
                                 "rope_parameters": {"rope_type": "longrope", "rope_theta": 10000,
                                  "short_factor": [1, 1, 1, 1], "long_factor": [1, 2, 3, 4],
                                  "original_max_position_embeddings": 16}}
                                """)
                        .config();
        assertThat(((LongRope) phi3.layer(0).orElseThrow().scaling()).originalLength())
                .isEqualTo(16);
        RopeConfig phi =
                parse(
                                """
                                {"model_type": "phi", "head_dim": 64,
                                 "max_position_embeddings": 64,
                                 "rope_parameters": {"rope_type": "linear", "rope_theta": 10000,
                                  "factor": 2, "partial_rotary_factor": 0.25}}
                                """)
                        .config();
        assertThat(phi.layer(0).orElseThrow().rotaryDimension()).isEqualTo(16);
    }

    @Test
    void readsMultiSectionRope() {
        RopeConfig qwen =
                parse(
                                """
                                {"model_type": "qwen2_vl", "hidden_size": 1536,
                                 "num_attention_heads": 12, "max_position_embeddings": 32768,
                                 "rope_theta": 1000000.0, "rope_scaling": {"type": "mrope",
                                 "mrope_section": [16, 24, 24]}}
                                """)
                        .config();
        assertThat(qwen.sections()).contains(new RotarySections(List.of(16, 24, 24), false));
        assertThat(qwen.layer(0)).contains(RopeParameters.of(128, 1e6, new Default()));
        RopeConfig three =
                parse(
                                """
                                {"model_type": "qwen3_vl", "text_config": {
                                 "model_type": "qwen3_vl_text", "head_dim": 128,
                                 "max_position_embeddings": 262144, "rope_theta": 5000000,
                                 "rope_scaling": {"mrope_interleaved": true,
                                 "mrope_section": [24, 20, 20], "rope_type": "default"}}}
                                """)
                        .config();
        assertThat(three.sections()).contains(new RotarySections(List.of(24, 20, 20), true));
    }

    /** Shapes of published files that no golden value has. */
    @Test
    void readsPublishedFiles() {
        RopeConfig phi =
                parse(
                                """
                                {"model_type": "phimoe", "hidden_size": 16,
                                 "num_attention_heads": 2, "max_position_embeddings": 131072,
                                 "rope_theta": 10000.0, "rope_scaling": {"type": "longrope",
                                 "short_factor": [1, 1, 1, 1], "long_factor": [1, 2, 3, 4],
                                 "short_mscale": 1.243163121016122,
                                 "long_mscale": 1.243163121016122,
                                 "original_max_position_embeddings": 4096}}
                                """)
                        .config();
        assertThat(phi.layer(0).orElseThrow().frequencies(5000, RopePrecision.EXACT))
                .extracting(RopeFrequencies::attentionScaling)
                .isEqualTo(1.243163121016122);
        assertThat(phi.write(KeyStyle.OLD).getAsJsonObject("rope_scaling").keySet())
                .contains("short_mscale", "long_mscale")
                .doesNotContain("attention_factor");
        assertThat(RopeConfig.parse(phi.write(KeyStyle.NEW)).config()).isEqualTo(phi);
        RopeConfig llama4 =
                parse(
                                """
                                {"model_type": "llama4", "text_config": {
                                 "model_type": "llama4_text", "head_dim": 128,
                                 "max_position_embeddings": 10485760, "num_hidden_layers": 48,
                                 "no_rope_layers": [], "rope_theta": 500000.0,
                                 "rope_scaling": {"factor": 16.0, "high_freq_factor": 1.0,
                                 "low_freq_factor": 1.0, "rope_type": "llama3",
                                 "original_max_position_embeddings": 8192}}}
                                """)
                        .config();
        assertThat(llama4.layout()).contains(RotaryLayout.INTERLEAVED);
        assertThat(llama4.layer(3)).isEmpty();
        assertThat(llama4.layer(4))
                .contains(RopeParameters.of(128, 500_000, new Llama3(16, 1, 1, 8192)));
        RopeConfig deepSeek =
                parse(
                                """
                                {"model_type": "deepseek_v3", "hidden_size": 7168,
                                 "num_attention_heads": 128, "qk_nope_head_dim": 128,
                                 "qk_rope_head_dim": 64, "max_position_embeddings": 163840,
                                 "rope_theta": 10000, "rope_scaling": {"beta_fast": 32,
                                 "beta_slow": 1, "factor": 40, "mscale": 1.0,
                                 "mscale_all_dim": 1.0, "type": "yarn",
                                 "original_max_position_embeddings": 4096}}
                                """)
                        .config();
        assertThat(deepSeek.layer(60).orElseThrow().headDimension()).isEqualTo(64);
        assertThat(deepSeek.layout()).contains(RotaryLayout.INTERLEAVED);
        RopeConfig commandR =
                parse(
                                """
                                {"model_type": "cohere2", "hidden_size": 4096,
                                 "num_attention_heads": 32, "num_hidden_layers": 32,
                                 "max_position_embeddings": 132096, "rope_theta": 50000,
                                 "rotary_pct": 1.0, "position_embedding_type": "rope_gptj",
                                 "sliding_window": 4096, "sliding_window_pattern": 4}
                                """)
                        .config();
        assertThat(commandR.layer(2)).contains(RopeParameters.of(128, 50_000, new Default()));
        assertThat(commandR.layer(3)).isEmpty();
        RopeConfig gptJ =
                parse(
                                """
                                {"model_type": "gptj", "n_embd": 4096, "n_head": 16,
                                 "n_layer": 28, "n_positions": 2048, "rotary_dim": 64}
                                """)
                        .config();
        assertThat(gptJ.layer(27)).contains(new RopeParameters(256, 64, 10_000, new Default()));
        assertThat(gptJ.layout()).contains(RotaryLayout.INTERLEAVED);
    }

    @Test
    void whatHuggingFaceHasNoWordForIsNotWritten() {
        RopeConfig ntk =
                new RopeConfig(
                        "llama",
                        Optional.of(RotaryLayout.HALF_SPLIT),
                        4096,
                        Map.of(
                                RopeConfig.EVERY,
                                Optional.of(RopeParameters.of(64, 1e4, new NtkAware(4)))),
                        List.of(),
                        Optional.empty());
        assertThatThrownBy(() -> ntk.write(KeyStyle.NEW))
                .hasMessageContaining("Hugging Face has no type of RoPE for NtkAware");
    }

    private static RopeConfig.Parsed parse(String json) {
        return RopeConfig.parse(JsonParser.parseString(json).getAsJsonObject());
    }
}
