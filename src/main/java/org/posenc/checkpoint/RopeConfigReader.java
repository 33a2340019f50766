package org.posenc.checkpoint;

import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import org.posenc.checkpoint.ModelFamily.Kind;
import org.posenc.encoding.rope.Default;
import org.posenc.encoding.rope.RopeParameters;
import org.posenc.encoding.rope.RopeScaling;
import org.posenc.encoding.rope.RotaryLayout;

/** Reads what a config.json says about RoPE: which layers have it, and the parameters of each. */
final class RopeConfigReader {

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

    private final TextModelConfig config;
    private final JsonObject text;
    private final ConfigValues top;
    private final String modelType;
    private final Optional<ModelFamily> family;
    private final LayerTypes layers;
    private final HeadDimensions dimensions;

    RopeConfigReader(JsonObject root) {
        config = new TextModelConfig(root);
        text = config.json();
        top = config.values();
        modelType = config.modelType();
        family = config.family();
        layers = new LayerTypes(config);
        dimensions = new HeadDimensions(config);
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
            types = layers.read(parameters.keySet());
            types.stream()
                    .filter(type -> !parameters.containsKey(type))
                    .distinct()
                    .forEach(type -> parameters.put(type, withoutParameters(type)));
        } else {
            needScaling(rope.or(() -> scaling).isPresent());
            types = layers.read(Set.of());
            parameters = flat(types, rope, scaling, maxPositions, sections);
        }
        RopeConfig read =
                new RopeConfig(
                        modelType, layout(), maxPositions, parameters, types, sections.read());
        return new RopeConfig.Parsed(read, List.copyOf(config.remarks()));
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
        ConfigValues values = config.aliases("max_position_embeddings", "n_positions");
        OptionalLong said = values.whole("max_position_embeddings", 1);
        if (said.isPresent()) {
            return said.getAsLong();
        }
        long standard = family.map(ModelFamily::maxPositions).orElse(0L);
        if (standard == 0) {
            throw values.missing("max_position_embeddings");
        }
        config.assume("max_position_embeddings", "%,d".formatted(standard));
        return standard;
    }

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
        config.addTo(values, "rope_theta", "rope_theta", "rotary_emb_base", "global_rope_theta");
        config.addTo(values, "partial_rotary_factor", "partial_rotary_factor", "rotary_pct");
        Map<String, Optional<RopeParameters>> parameters = new LinkedHashMap<>();
        if (family.isPresent() && family.get().kind().byAttention()) {
            RopeParameters full = parameters(values, LayerTypes.FULL, maxPositions, sections);
            parameters.put(LayerTypes.SLIDING, Optional.of(local(full)));
            parameters.put(LayerTypes.FULL, Optional.of(full));
            return parameters;
        }
        RopeParameters every = parameters(values, RopeConfig.EVERY, maxPositions, sections);
        Set<String> kinds = new LinkedHashSet<>(types);
        if (kinds.isEmpty()) {
            kinds.addAll(
                    layers.hasRope(LayerTypes.FULL)
                            ? List.of(RopeConfig.EVERY)
                            : List.of(LayerTypes.SLIDING, LayerTypes.FULL));
        }
        for (String kind : kinds) {
            parameters.put(kind, layers.hasRope(kind) ? Optional.of(every) : Optional.empty());
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
        config.addTo(values, "base", "rope_local_base_freq", "local_rope_theta");
        if (values.has("base")) {
            return base(values, "base").getAsDouble();
        }
        double standard = family.get().localBase();
        if (standard == 0) {
            return full.base();
        }
        config.assume("the base of sliding-attention layers", ConfigValues.plain(standard));
        return standard;
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
                        config.addTo(values, "rope_theta", basesOf(type));
                    }
                    if (!values.has("partial_rotary_factor")) {
                        config.addTo(values, "partial_rotary_factor", "partial_rotary_factor");
                    }
                    parameters.put(
                            type, Optional.of(parameters(values, type, maxPositions, sections)));
                });
        without.forEach(type -> parameters.put(type, Optional.empty()));
        return parameters;
    }

    private static String[] basesOf(String layerType) {
        return layerType.equals(LayerTypes.SLIDING)
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
        if (layers.hasRope(type)) {
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
            config.addTo(
                    values, "original_max_position_embeddings", "original_max_position_embeddings");
        }
        RopeScalings.allowKeys(values, type);
        int head = dimensions.head(layerType);
        double base = base(values, "rope_theta").orElseGet(() -> standardBase(layerType));
        boolean proportional = type.equals("proportional");
        int rotary = proportional ? head : dimensions.rotary(values, head, type);
        RopeScaling scaling =
                RopeScalings.read(values, type, rotary, maxPositions, config.remarks());
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
                layerType.equals(LayerTypes.SLIDING) && known.localBase() > 0
                        ? known.localBase()
                        : known.base();
        config.assume("rope_theta", ConfigValues.plain(base));
        return base;
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
