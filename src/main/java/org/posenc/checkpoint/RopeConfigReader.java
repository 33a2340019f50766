package org.posenc.checkpoint;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.IntStream;
import org.posenc.checkpoint.ModelFamily.Kind;
import org.posenc.encoding.rope.Default;
import org.posenc.encoding.rope.RopeParameters;
import org.posenc.encoding.rope.RopeScaling;
import org.posenc.encoding.rope.RotaryLayout;

/** Reads what a config.json says about RoPE: which layers have it, and the parameters of each. */
final class RopeConfigReader {

    static final String FULL = "full_attention";
    static final String SLIDING = "sliding_attention";
    static final String LINEAR = "linear_attention";

    /** Layers of these types do not attend, and so have no RoPE. */
    private static final Set<String> WITHOUT_ATTENTION =
            Set.of(LINEAR, "mamba", "mamba2", "conv", "recurrent", "mlp", "moe");

    /** Where the text model of a model of several parts stands. */
    private static final List<String> TEXT_MODELS =
            List.of("text_config", "thinker_config", "llm_config", "language_config");

    /** What a file says about RoPE outside of its dictionaries. */
    private static final Set<String> TOP_LEVEL =
            Set.of(
                    "rope_parameters",
                    "rope_scaling",
                    "rope_theta",
                    "rope_local_base_freq",
                    "rope_interleave",
                    "rotary_emb_base",
                    "rotary_pct",
                    "rotary_dim");

    private static final Set<String> ELSEWHERE =
            Set.of(
                    "partial_rotary_factor",
                    "original_max_position_embeddings",
                    "global_rope_theta",
                    "local_rope_theta",
                    "no_rope_layers",
                    "no_rope_layer_interval");

    /** Their classes have a scaling where the file has none; published files always have one. */
    private static final Set<String> SCALED_BY_NATURE =
            Set.of("gpt_oss", "apertus", "ministral3", "gemma4_text", "mimo_v2_flash");

    /** Whose part that turns transformers 5 leaves out of the type "default". */
    private static final Set<String> PARTIAL_IGNORED =
            Set.of("llama", "mistral", "mixtral", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe");

    private final JsonObject text;
    private final ConfigValues top;
    private final String modelType;
    private final Optional<ModelFamily> family;
    private final Set<String> remarks = new LinkedHashSet<>();

    RopeConfigReader(JsonObject root) {
        text = textModel(root);
        top = ConfigValues.of(text, "");
        modelType =
                top.text("model_type")
                        .or(() -> ConfigValues.of(root, "").text("model_type"))
                        .orElse("");
        family = ModelFamily.of(modelType);
    }

    /** Returns the part that describes the text model, which may be the whole. */
    static JsonObject textModel(JsonObject root) {
        for (String key : TEXT_MODELS) {
            if (root.get(key) instanceof JsonObject inner) {
                return textModel(inner);
            }
        }
        return root;
    }

    static boolean isAboutRope(String key) {
        return key.startsWith("rope_") || key.startsWith("rotary_") || ELSEWHERE.contains(key);
    }

    RopeConfig.Parsed read() {
        checkThatThereIsRope();
        for (String key : text.keySet()) {
            if ((key.startsWith("rope_") || key.startsWith("rotary_"))
                    && !TOP_LEVEL.contains(key)) {
                throw new IllegalArgumentException(
                        "%s (%s) is not a known key about RoPE; known are %s"
                                .formatted(
                                        key,
                                        text.get(key),
                                        String.join(", ", TOP_LEVEL.stream().sorted().toList())));
            }
        }
        long maxPositions = maxPositions();
        Optional<JsonObject> rope = dictionary("rope_parameters");
        Optional<JsonObject> scaling = dictionary("rope_scaling");
        Map<String, Optional<RopeParameters>> parameters;
        List<String> types;
        Sections sections = new Sections();
        if (rope.filter(RopeConfigReader::isNested).isPresent()
                || scaling.filter(RopeConfigReader::isNested).isPresent()) {
            parameters = nested(rope, scaling, maxPositions, sections);
            types = layerTypes(parameters.keySet());
            types.stream()
                    .filter(type -> !parameters.containsKey(type))
                    .distinct()
                    .forEach(type -> parameters.put(type, withoutParameters(type)));
        } else {
            needScaling(rope.or(() -> scaling).isPresent());
            types = layerTypes(Set.of());
            parameters = flat(types, rope, scaling, maxPositions, sections);
        }
        RopeConfig config =
                new RopeConfig(
                        modelType, layout(), maxPositions, parameters, types, sections.read());
        return new RopeConfig.Parsed(config, List.copyOf(remarks));
    }

    private void checkThatThereIsRope() {
        if (top.flag("alibi").orElse(false)) {
            throw new IllegalArgumentException("this model has ALiBi and no RoPE: alibi is true");
        }
        boolean said = text.keySet().stream().anyMatch(key -> isAboutRope(key) && top.has(key));
        if (family.isEmpty() && !said) {
            throw new IllegalArgumentException(
                    "there is no RoPE in this configuration%s: none of rope_parameters, rope_theta,"
                                    .formatted(
                                            modelType.isEmpty()
                                                    ? ""
                                                    : " of model type \"" + modelType + "\"")
                            + " rope_scaling, rotary_emb_base and rotary_dim is there");
        }
    }

    private void needScaling(boolean said) {
        if (!said && family.isPresent() && SCALED_BY_NATURE.contains(family.get().modelType())) {
            throw new IllegalArgumentException(
                    "a configuration of model type \"%s\" needs rope_parameters, which is missing"
                            .formatted(modelType));
        }
    }

    /** An empty dictionary says nothing. */
    private Optional<JsonObject> dictionary(String key) {
        return top.object(key).filter(dictionary -> !dictionary.isEmpty());
    }

    private static boolean isNested(JsonObject dictionary) {
        return dictionary.asMap().values().stream()
                        .allMatch(v -> v instanceof JsonObject || v instanceof JsonNull)
                && dictionary.asMap().values().stream().anyMatch(JsonObject.class::isInstance);
    }

    private Optional<RotaryLayout> layout() {
        Optional<Boolean> interleaved = top.flag("rope_interleave");
        return interleaved.isPresent()
                ? interleaved.map(yes -> yes ? RotaryLayout.INTERLEAVED : RotaryLayout.HALF_SPLIT)
                : family.map(ModelFamily::layout);
    }

    private long maxPositions() {
        ConfigValues values = aliases("max_position_embeddings", "n_positions");
        OptionalLong said = values.whole("max_position_embeddings", 1);
        if (said.isPresent()) {
            return said.getAsLong();
        }
        long standard = family.map(ModelFamily::maxPositions).orElse(0L);
        if (standard == 0) {
            throw values.missing("max_position_embeddings");
        }
        assume("max_position_embeddings", "%,d".formatted(standard));
        return standard;
    }

    private Optional<Integer> layers() {
        return aliases("num_hidden_layers", "n_layer", "num_layers").count("num_hidden_layers");
    }

    /** The size of the part of a head that this encoding sees. */
    private int headDimension(String layerType) {
        if (layerType.equals(FULL)
                && family.isPresent()
                && family.get().modelType().equals("gemma4_text")) {
            Optional<Integer> global = top.count("global_head_dim");
            if (global.isEmpty()) {
                assume("global_head_dim", "512");
            }
            return even("global_head_dim", global.orElse(512));
        }
        if (top.has("qk_rope_head_dim")) {
            return even("qk_rope_head_dim", top.count("qk_rope_head_dim").orElseThrow());
        }
        if (top.has("head_dim")) {
            return even("head_dim", top.count("head_dim").orElseThrow());
        }
        int standard = family.map(ModelFamily::headDimension).orElse(0);
        if (standard > 0 && !text.has("head_dim")) {
            assume("head_dim", "" + standard);
            return standard;
        }
        int hidden = size("hidden_size", family.map(ModelFamily::hiddenSize), "n_embd", "d_model");
        int heads =
                size("num_attention_heads", family.map(ModelFamily::heads), "n_head", "n_heads");
        if (hidden % heads != 0) {
            throw new IllegalArgumentException(
                    "hidden_size must be a multiple of num_attention_heads where head_dim is"
                            + " missing, got %d and %d".formatted(hidden, heads));
        }
        return even("hidden_size / num_attention_heads", hidden / heads);
    }

    private int size(String name, Optional<Integer> standard, String... others) {
        ConfigValues values = aliases(name, others);
        Optional<Integer> said = values.count(name);
        if (said.isPresent()) {
            return said.get();
        }
        int value =
                standard.orElseThrow(
                        () -> values.missing("head_dim, or hidden_size and num_attention_heads"));
        assume(name, "" + value);
        return value;
    }

    private int even(String name, int value) {
        if (value % 2 != 0) {
            throw new IllegalArgumentException(
                    "%s must be even, since RoPE turns pairs, got %d".formatted(name, value));
        }
        return value;
    }

    private ConfigValues aliases(String name, String... others) {
        ConfigValues values = new ConfigValues("the configuration");
        for (String key : names(name, others)) {
            if (text.has(key)) {
                values.add(name, key, text.get(key));
            }
        }
        return values;
    }

    private static List<String> names(String name, String... others) {
        List<String> names = new ArrayList<>(List.of(name));
        names.addAll(List.of(others));
        return names;
    }

    // ---- parameters

    private Map<String, Optional<RopeParameters>> flat(
            List<String> types,
            Optional<JsonObject> rope,
            Optional<JsonObject> scaling,
            long maxPositions,
            Sections sections) {
        ConfigValues values =
                new ConfigValues(
                        rope.isPresent()
                                ? "rope_parameters"
                                : scaling.isPresent() ? "rope_scaling" : "the configuration");
        rope.ifPresent(dictionary -> addAll(values, dictionary, "rope_parameters"));
        scaling.ifPresent(dictionary -> addAll(values, dictionary, "rope_scaling"));
        addTopLevel(values, "rope_theta", "rope_theta", "rotary_emb_base", "global_rope_theta");
        addTopLevel(values, "partial_rotary_factor", "partial_rotary_factor", "rotary_pct");
        Map<String, Optional<RopeParameters>> parameters = new LinkedHashMap<>();
        if (family.isPresent() && family.get().kind().byAttention()) {
            RopeParameters full = parameters(values, FULL, maxPositions, sections);
            parameters.put(SLIDING, Optional.of(local(full)));
            parameters.put(FULL, Optional.of(full));
            return parameters;
        }
        RopeParameters every = parameters(values, RopeConfig.EVERY, maxPositions, sections);
        Set<String> kinds = new LinkedHashSet<>(types);
        if (kinds.isEmpty()) {
            kinds.addAll(isFullWithoutRope() ? List.of(SLIDING, FULL) : List.of(RopeConfig.EVERY));
        }
        for (String kind : kinds) {
            parameters.put(kind, hasRope(kind) ? Optional.of(every) : Optional.empty());
        }
        return parameters;
    }

    /** The RoPE of windowed layers where the old keys give the scaling of full attention. */
    private RopeParameters local(RopeParameters full) {
        if (family.get().kind() == Kind.FULL_FIRST) { // ModernBERT scales both
            return new RopeParameters(
                    full.headDimension(), full.rotaryDimension(), localBase(full), full.scaling());
        }
        return new RopeParameters(
                full.headDimension(), full.rotaryDimension(), localBase(full), new Default());
    }

    private double localBase(RopeParameters full) {
        ConfigValues values = new ConfigValues("the configuration");
        addTopLevel(values, "base", "rope_local_base_freq", "local_rope_theta");
        if (values.has("base")) {
            return base(values, "base").getAsDouble();
        }
        double standard = family.get().localBase();
        if (standard == 0) {
            return full.base();
        }
        assume("the base of sliding-attention layers", ConfigValues.plain(standard));
        return standard;
    }

    /** Whether a layer type has RoPE where all that have it have the same. */
    boolean hasRope(String layerType) {
        return hasRope(family, text.has("sliding_window") && !top.has("sliding_window"), layerType);
    }

    static boolean hasRope(Optional<ModelFamily> family, boolean noWindow, String layerType) {
        boolean fullHasNone =
                !noWindow && family.filter(f -> f.kind() == Kind.FULL_NONE).isPresent();
        return !layerType.equals(RopeConfig.NONE)
                && !WITHOUT_ATTENTION.contains(layerType)
                && !(fullHasNone && layerType.equals(FULL));
    }

    private boolean isFullWithoutRope() {
        return !hasRope(FULL);
    }

    private Map<String, Optional<RopeParameters>> nested(
            Optional<JsonObject> rope,
            Optional<JsonObject> scaling,
            long maxPositions,
            Sections sections) {
        Map<String, ConfigValues> byType = new LinkedHashMap<>();
        Set<String> without = new LinkedHashSet<>();
        Map<String, Optional<JsonObject>> places = new LinkedHashMap<>();
        places.put("rope_parameters", rope);
        places.put("rope_scaling", scaling);
        places.forEach(
                (place, dictionary) -> {
                    for (Map.Entry<String, JsonElement> entry :
                            dictionary.map(JsonObject::asMap).orElse(Map.of()).entrySet()) {
                        String path = place + "." + entry.getKey();
                        if (entry.getValue() instanceof JsonObject inner) {
                            addAll(
                                    byType.computeIfAbsent(
                                            entry.getKey(), type -> new ConfigValues(path)),
                                    inner,
                                    path);
                        } else if (entry.getValue().isJsonNull()) {
                            without.add(entry.getKey());
                        } else {
                            throw new IllegalArgumentException(
                                    "%s must hold an object for each layer type, as elsewhere, got"
                                                    .formatted(path)
                                            + " "
                                            + entry.getValue());
                        }
                    }
                });
        checkTopLevelBase(byType);
        Map<String, Optional<RopeParameters>> parameters = new LinkedHashMap<>();
        byType.forEach(
                (type, values) -> {
                    if (without.contains(type)) {
                        throw new IllegalArgumentException(
                                "layer type \"%s\" has RoPE in one place and none in another"
                                        .formatted(type));
                    }
                    if (!values.has("rope_theta")) {
                        addTopLevel(values, "rope_theta", basesOf(type));
                    }
                    if (!values.has("partial_rotary_factor")) {
                        addTopLevel(values, "partial_rotary_factor", "partial_rotary_factor");
                    }
                    parameters.put(
                            type, Optional.of(parameters(values, type, maxPositions, sections)));
                });
        without.forEach(type -> parameters.put(type, Optional.empty()));
        return parameters;
    }

    private static String[] basesOf(String layerType) {
        return layerType.equals(SLIDING)
                ? new String[] {"rope_local_base_freq", "local_rope_theta"}
                : new String[] {"rope_theta", "global_rope_theta"};
    }

    /**
     * A base beside nested ones is a default for those who have none, or says one of them again.
     */
    private void checkTopLevelBase(Map<String, ConfigValues> byType) {
        if (!top.has("rope_theta")) {
            return;
        }
        double base = base(top, "rope_theta").getAsDouble();
        boolean used =
                byType.values().stream()
                        .anyMatch(
                                values ->
                                        !values.has("rope_theta")
                                                || base(values, "rope_theta").getAsDouble()
                                                        == base);
        if (!used) {
            throw new IllegalArgumentException(
                    "rope_theta is %s, which is the base of no layer type in rope_parameters: they"
                                    .formatted(text.get("rope_theta"))
                            + " must agree");
        }
    }

    private Optional<RopeParameters> withoutParameters(String type) {
        if (hasRope(type)) {
            throw new IllegalArgumentException(
                    "layer_types has \"%s\", which rope_parameters has nothing for"
                            .formatted(type));
        }
        return Optional.empty();
    }

    private RopeParameters parameters(
            ConfigValues values, String layerType, long maxPositions, Sections sections) {
        String type = values.text("rope_type").orElse("default");
        if (RopeScalings.isKnown(type) && RopeScalings.hasOriginalLength(type)) {
            addTopLevel(
                    values, "original_max_position_embeddings", "original_max_position_embeddings");
        }
        RopeScalings.allowKeys(values, type);
        int head = headDimension(layerType);
        double base = base(values, "rope_theta").orElseGet(() -> standardBase(layerType));
        boolean proportional = type.equals("proportional");
        int rotary = proportional ? head : rotaryDimension(values, head, type);
        RopeScaling scaling = RopeScalings.read(values, type, rotary, maxPositions, remarks);
        sections.read(values, rotary);
        try {
            return new RopeParameters(head, rotary, base, scaling);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "RoPE of type \"%s\" cannot be: %s".formatted(type, e.getMessage()), e);
        }
    }

    private static OptionalDouble base(ConfigValues values, String name) {
        OptionalDouble base = values.positive(name);
        if (base.isPresent() && base.getAsDouble() <= 1) {
            throw values.refuse(name, "above 1");
        }
        return base;
    }

    private double standardBase(String layerType) {
        ModelFamily known =
                family.orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "rope_theta is missing, and the default of %s is not known"
                                                .formatted(
                                                        modelType.isEmpty()
                                                                ? "a file without model_type"
                                                                : "model type \""
                                                                        + modelType
                                                                        + "\"")));
        double base =
                layerType.equals(SLIDING) && known.localBase() > 0
                        ? known.localBase()
                        : known.base();
        assume("rope_theta", ConfigValues.plain(base));
        return base;
    }

    private int rotaryDimension(ConfigValues values, int head, String type) {
        OptionalDouble said = values.part("partial_rotary_factor");
        OptionalLong counted = top.whole("rotary_dim", 2);
        double part = said.orElse(1);
        if (said.isPresent() && top.has("qk_rope_head_dim")) {
            return latent(part, head);
        }
        if (said.isEmpty() && counted.isPresent()) {
            if (counted.getAsLong() > head || counted.getAsLong() % 2 != 0) {
                throw top.refuse("rotary_dim", "even and at most the head dimension of " + head);
            }
            return (int) counted.getAsLong();
        }
        if (said.isEmpty()
                && RopeConfigWriter.COUNTED.contains(modelType)
                && !text.has("rotary_dim")) {
            assume("rotary_dim", "64");
            return even("rotary_dim", Math.min(64, head));
        }
        if (said.isEmpty() && family.isPresent() && family.get().partial() != 1) {
            part = family.get().partial();
            assume("partial_rotary_factor", ConfigValues.plain(part));
        }
        int rotary = (int) (head * part);
        if (rotary < 2 || rotary % 2 != 0) {
            throw new IllegalArgumentException(
                    "%s must leave an even part of the head dimension of %d, at least 2, got %s,"
                                    .formatted(
                                            values.path("partial_rotary_factor"),
                                            head,
                                            ConfigValues.plain(part))
                            + " which leaves "
                            + rotary);
        }
        if (counted.isPresent() && counted.getAsLong() != rotary) {
            throw new IllegalArgumentException(
                    "rotary_dim is %d but %s leaves %d of the head dimension of %d: they must agree"
                            .formatted(
                                    counted.getAsLong(),
                                    values.path("partial_rotary_factor"),
                                    rotary,
                                    head));
        }
        if (part < 1 && type.equals("default") && PARTIAL_IGNORED.contains(modelType)) {
            remarks.add(
                    "partial_rotary_factor %s is honoured, as transformers 4 does; transformers 5"
                                    .formatted(ConfigValues.plain(part))
                            + " turns whole heads for this model type");
        }
        return rotary;
    }

    /** Multi-head latent attention keeps the part that turns apart; a factor may say it again. */
    private int latent(double part, int rotary) {
        int whole = top.count("head_dim").orElse(rotary);
        if ((int) (whole * part) != rotary && part != 1) {
            throw new IllegalArgumentException(
                    "qk_rope_head_dim is %d but partial_rotary_factor leaves %d of %d: they must"
                                    .formatted(rotary, (int) (whole * part), whole)
                            + " agree");
        }
        return rotary;
    }

    /** Adds a dictionary's values; older names become today's. */
    private void addAll(ConfigValues values, JsonObject dictionary, String path) {
        boolean divisors = dictionary.has("short_factor") || dictionary.has("long_factor");
        dictionary
                .asMap()
                .forEach(
                        (key, value) -> {
                            boolean type = key.equals("type") || key.equals("rope_type");
                            values.add(
                                    type ? "rope_type" : key,
                                    path + "." + key,
                                    type ? today(value, divisors) : value);
                        });
    }

    private JsonElement today(JsonElement type, boolean divisors) {
        if (!(type instanceof JsonPrimitive name) || !name.isString()) {
            return type;
        }
        return switch (name.getAsString()) {
            case "su" -> new JsonPrimitive("longrope");
            case "mrope" -> new JsonPrimitive("default");
            // Early files of Phi-3 call LongRoPE yarn.
            case "yarn" ->
                    modelType.startsWith("phi3") && divisors ? new JsonPrimitive("longrope") : name;
            default -> name;
        };
    }

    private void addTopLevel(ConfigValues values, String name, String... keys) {
        for (String key : keys) {
            if (text.has(key)) {
                values.add(name, key, text.get(key));
            }
        }
    }

    private void assume(String what, String value) {
        remarks.add(
                "%s is missing, so %s, the default of model type \"%s\", is taken"
                        .formatted(what, value, modelType));
    }

    // ---- layers

    private List<String> layerTypes(Set<String> nested) {
        Optional<Integer> layers = layers();
        Optional<JsonArray> said = top.list("layer_types");
        if (text.has("no_rope_layers") && said.isEmpty()
                || family.filter(f -> f.kind() == Kind.NONE).isPresent()) {
            return withoutRope(layers);
        }
        if (said.isPresent()) {
            List<String> types = new ArrayList<>();
            for (JsonElement type : said.get()) {
                if (!(type instanceof JsonPrimitive name && name.isString())) {
                    throw new IllegalArgumentException("layer_types must hold texts, got " + type);
                }
                types.add(name.getAsString());
            }
            checkCount("layer_types", types.size(), layers);
            return types;
        }
        if (layers.isEmpty()) {
            return List.of();
        }
        int n = layers.get();
        Kind kind = family.map(ModelFamily::kind).orElse(Kind.UNIFORM);
        int period = period();
        return switch (kind) {
            case FULL_LAST -> alternating(n, period, period - 1, FULL, SLIDING);
            case FULL_NONE ->
                    hasRope(FULL) // no window, so none is left out
                            ? Collections.nCopies(n, FULL)
                            : alternating(n, period, period - 1, FULL, SLIDING);
            case FULL_FIRST -> alternating(n, period, 0, FULL, SLIDING);
            case FULL_ONLY -> alternating(n, period, period - 1, FULL, LINEAR);
            case UNIFORM, NONE -> {
                if (nested.size() > 1) {
                    throw new IllegalArgumentException(
                            "layer_types is missing, where rope_parameters has "
                                    + String.join(" and ", nested));
                }
                yield Collections.nCopies(
                        n, nested.isEmpty() ? RopeConfig.EVERY : nested.iterator().next());
            }
        };
    }

    private int period() {
        for (String key :
                List.of(
                        "sliding_window_pattern",
                        "_sliding_window_pattern",
                        "global_attn_every_n_layers",
                        "full_attention_interval")) {
            if (top.has(key)) {
                return text.get(key) instanceof JsonPrimitive p && p.isString()
                        ? p.getAsString().length() // Exaone's "LLLG"
                        : top.count(key).orElseThrow();
            }
        }
        return family.map(ModelFamily::period).orElse(0);
    }

    private static List<String> alternating(
            int layers, int period, int place, String one, String others) {
        return IntStream.range(0, layers)
                .mapToObj(i -> i % period == place ? one : others)
                .toList();
    }

    private List<String> withoutRope(Optional<Integer> layers) {
        Optional<int[]> said =
                top.has("no_rope_layers") ? top.wholes("no_rope_layers", 0) : Optional.empty();
        if (said.isPresent() && said.get().length > 0) {
            if (Arrays.stream(said.get()).anyMatch(flag -> flag > 1)) {
                throw top.refuse(
                        "no_rope_layers", "a list of 0, a layer without RoPE, and 1, one with it");
            }
            checkCount("no_rope_layers", said.get().length, layers);
            return Arrays.stream(said.get())
                    .mapToObj(flag -> flag == 0 ? RopeConfig.NONE : RopeConfig.EVERY)
                    .toList();
        }
        int interval =
                top.count("no_rope_layer_interval")
                        .or(() -> family.map(ModelFamily::period))
                        .orElse(0);
        if (layers.isEmpty() || interval == 0) {
            return layers.map(n -> Collections.nCopies(n, RopeConfig.EVERY)).orElse(List.of());
        }
        return alternating(layers.get(), interval, interval - 1, RopeConfig.NONE, RopeConfig.EVERY);
    }

    private static void checkCount(String key, int count, Optional<Integer> layers) {
        if (layers.isPresent() && layers.get() != count) {
            throw new IllegalArgumentException(
                    "%s must have an entry for each of the %d layers, got %d"
                            .formatted(key, layers.get(), count));
        }
    }

    /** Multi-section RoPE, which is one for all layer types. */
    private final class Sections {

        private Optional<RotarySections> read = Optional.empty();

        void read(ConfigValues values, int rotaryDimension) {
            Optional<int[]> sizes = values.wholes("mrope_section", 0);
            if (sizes.isEmpty()) {
                if (values.has("mrope_interleaved")) {
                    throw values.missing("mrope_section beside mrope_interleaved");
                }
                return;
            }
            boolean interleaved =
                    values.flag("mrope_interleaved").orElse(modelType.startsWith("qwen3"));
            RotarySections sections =
                    new RotarySections(Arrays.stream(sizes.get()).boxed().toList(), interleaved);
            if (sections.pairs() != rotaryDimension / 2) {
                throw values.refuse(
                        "mrope_section",
                        "a list with a sum of %d, the pairs that turn"
                                .formatted(rotaryDimension / 2));
            }
            if (read.isPresent() && !read.get().equals(sections)) {
                throw new IllegalArgumentException(
                        "mrope_section must be the same for all layer types, got %s and %s"
                                .formatted(read.get().sizes(), sections.sizes()));
            }
            read = Optional.of(sections);
        }

        Optional<RotarySections> read() {
            return read;
        }
    }
}
