package org.posenc.checkpoint;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.posenc.attention.Lora;
import org.posenc.encoding.rope.LayoutPermutation;
import org.posenc.model.Transformer;
import org.posenc.report.AtomicFile;

/**
 * LoRA pairs of a model in a folder, as Hugging Face's peft reads and writes them: {@code
 * adapter_config.json} and {@code adapter_model.safetensors}. The weights they adapt are those of
 * the base, a {@link ModelFolder}.
 *
 * <p>A module of the base that is a stack of several projections (Phi-3's {@code qkv_proj} and
 * {@code gate_up_proj}, GPT-NeoX's {@code query_key_value}) has one pair in the folder, and can be
 * a target only as a whole. Plain LoRA is read, with α/r or α/√r; other options (DoRA, biases,
 * ranks that differ from module to module, layers left out, modules saved whole) are refused by
 * name.
 */
public final class AdapterFolder {

    private static final String CONFIG = "adapter_config.json";
    private static final String WEIGHTS = "adapter_model.safetensors";
    private static final String PREFIX = "base_model.model.";
    private static final Pattern NAME =
            Pattern.compile(Pattern.quote(PREFIX) + "(.+)\\.lora_([AB])\\.weight");

    /** What describes a pair, and is read. */
    private static final Set<String> READ =
            Set.of("peft_type", "r", "lora_alpha", "lora_dropout", "use_rslora", "bias");

    /** What says nothing about the numbers, or what the tensors' names say too. */
    private static final Set<String> ASIDE =
            Set.of(
                    "auto_mapping",
                    "base_model_name_or_path",
                    "exclude_modules",
                    "inference_mode",
                    "init_lora_weights",
                    "megatron_core",
                    "peft_version",
                    "qalora_group_size",
                    "revision",
                    "target_modules",
                    "task_type");

    /** First values that leave the base's weights as they are; others change them. */
    private static final Set<String> BEGINNINGS = Set.of("true", "false", "gaussian", "orthogonal");

    private static final Gson JSON =
            new GsonBuilder().setPrettyPrinting().serializeNulls().disableHtmlEscaping().create();

    private final Lora lora;
    private final ModelFolder base;
    private final Safetensors weights;
    private final Map<String, Module> modules; // those adapted, by their paths

    /**
     * A module of the base that a pair can adapt.
     *
     * @param target its name among those of its layer
     * @param weight its weight and our projections that it is made of
     */
    private record Module(String target, TensorTable.Tensor weight) {

        /** The first projection, whose A all others share. */
        String first() {
            return projection(weight.parameters().get(0));
        }

        List<String> projections() {
            return weight.parameters().stream().map(Module::projection).toList();
        }

        private static String projection(String parameter) {
            return parameter.substring(0, parameter.length() - ".weight".length());
        }

        Shape down(int rank) {
            return new Shape(rank, weight.shape().get(1));
        }

        /** B, whose rows are laid out as those of the weight are. */
        TensorTable.Tensor up(int rank) {
            return new TensorTable.Tensor(
                    weight.name(),
                    new Shape(weight.shape().get(0), rank),
                    projections().stream().map(name -> name + ".loraB").toList(),
                    weight.turns());
        }
    }

    private AdapterFolder(Path folder, ModelFolder base) {
        this.base = base;
        JsonObject json = ConfigValues.read(folder.resolve(CONFIG));
        ConfigValues values = ConfigValues.of(json, "");
        refuseWhatIsNotDone(json, values);
        int rank = values.count("r").orElseThrow(() -> values.missing("r"));
        weights = Safetensors.open(folder.resolve(WEIGHTS));
        modules = match(rank);
        List<String> targets = modules.values().stream().map(Module::target).distinct().toList();
        double alpha = values.required(values.positive("lora_alpha"), "lora_alpha");
        double dropout = values.number("lora_dropout", 0).orElse(0);
        boolean root = values.flag("use_rslora").orElse(false);
        lora = new Lora(rank, alpha, dropout, root, targets, 0);
    }

    /**
     * Opens a folder: reads its configuration and the header of its weights, and checks that they
     * fit the base.
     *
     * @param folder a folder of peft
     * @param base the model that the pairs adapt
     * @return what is in it
     * @throws IllegalArgumentException if something is missing, malformed or does not fit, or if
     *     the adapter is more than plain LoRA; one sentence says what
     */
    public static AdapterFolder open(Path folder, ModelFolder base) {
        try {
            return new AdapterFolder(folder, base);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(folder + ": " + e.getMessage(), e);
        }
    }

    /**
     * Returns what the pairs are.
     *
     * @return rank, scale and targets; the seed, which peft does not keep, is 0
     */
    public Lora lora() {
        return lora;
    }

    /**
     * Returns the modules of a base that are usually adapted, peft's "all-linear".
     *
     * @param base the model
     * @return the targets that its layers have, such as q_proj; the output is not among them
     */
    public static List<String> linearModules(ModelFolder base) {
        return all(base).values().stream()
                .filter(module -> !module.first().equals("output"))
                .map(Module::target)
                .distinct()
                .toList();
    }

    /**
     * Adapts a model by the pairs in this folder; everything but the pairs is frozen, as {@link
     * Transformer#adapt} says.
     *
     * @param model of the base's configuration, whose pairs of components may be half-split or
     *     interleaved
     * @throws IllegalArgumentException if it has another configuration or is adapted already, or
     *     the weights cannot be read
     */
    public void attach(Transformer model) {
        if (!model.config().equals(base.config())) {
            throw new IllegalArgumentException(
                    "an adapter of another model does not fit: " + model.config());
        }
        model.adapt(lora);
        Map<String, NDArray> arrays = ModelFolder.arrays(model.named());
        modules.forEach(
                (path, module) -> {
                    NDArray down = arrays.get(module.first() + ".loraA");
                    weights.copy(PREFIX + path + ".lora_A.weight", 0, down, 0, down.size());
                    module.up(lora.rank()).load(weights, PREFIX + path + ".lora_B.weight", arrays);
                });
        Map<String, LayoutPermutation> orders = StoredRows.of(model);
        for (Module module : modules.values()) {
            for (String projection : module.projections()) {
                LayoutPermutation order = orders.get(projection);
                if (order != null) {
                    ModelFolder.reorder(arrays.get(projection + ".loraB"), order.inverse());
                }
            }
        }
    }

    /**
     * Writes the pairs of a model.
     *
     * @param folder where to; made where there is none, and files of the same names are replaced,
     *     {@code adapter_config.json} the last
     * @param model an adapted model; its encoding tells the order of its rows
     * @param base the model that the pairs adapt, whose modules are the targets
     * @throws IllegalArgumentException if the model is not adapted, or at targets that are not
     *     modules of the base, or a file cannot be written
     */
    public static void write(Path folder, Transformer model, ModelFolder base) {
        Lora lora =
                model.lora()
                        .orElseThrow(
                                () ->
                                        new IllegalArgumentException(
                                                "the model has no LoRA pairs to be written"));
        Map<String, Module> modules = all(base);
        List<String> known = modules.values().stream().map(Module::target).distinct().toList();
        for (String target : lora.targets()) {
            if (!known.contains(target)) {
                throw new IllegalArgumentException(
                        "the model is adapted at "
                                + target
                                + ", but the modules of "
                                + base.folder()
                                + " are "
                                + String.join(", ", known));
            }
        }
        modules.values().removeIf(module -> !lora.targets().contains(module.target()));
        Map<String, NDArray> tensors = new LinkedHashMap<>();
        try (NDScope scope = new NDScope()) {
            Map<String, NDArray> arrays = ModelFolder.arrays(model.named());
            Map<String, NDArray> ups = new LinkedHashMap<>(arrays);
            ups.keySet().removeIf(name -> !name.endsWith(".loraB"));
            Map<String, NDArray> rows = StoredRows.stored(model, ups);
            modules.forEach(
                    (path, module) -> {
                        NDArray down = arrays.get(module.first() + ".loraA");
                        NDArray up = module.up(lora.rank()).pack(rows);
                        tensors.put(PREFIX + path + ".lora_A.weight", down);
                        tensors.put(PREFIX + path + ".lora_B.weight", up);
                    });
            Safetensors.write(folder.resolve(WEIGHTS), tensors, Map.of("format", "pt"));
        }
        String config = JSON.toJson(config(lora, base)) + "\n";
        AtomicFile.write(folder.resolve(CONFIG), config);
    }

    /** The modules that a base has, by their paths in it; the output by each of its names. */
    private static Map<String, Module> all(ModelFolder base) {
        Map<String, Module> modules = new LinkedHashMap<>();
        for (TensorTable.Tensor tensor : base.family().tensors().of(base.config())) {
            if (tensor.parameters().stream().allMatch(name -> name.endsWith(".weight"))) {
                String path = Module.projection(tensor.name());
                if (tensor.parameters().contains("output.weight")) {
                    // Since version 5, transformers calls the output of every model the same.
                    modules.put("lm_head", new Module("lm_head", tensor));
                }
                modules.put(path, new Module(path.substring(path.lastIndexOf('.') + 1), tensor));
            }
        }
        return modules;
    }

    private static void refuseWhatIsNotDone(JsonObject json, ConfigValues values) {
        require(values, "peft_type", Set.of("LORA"), "\"LORA\"");
        require(values, "bias", Set.of("none"), "\"none\"");
        require(values, "init_lora_weights", BEGINNINGS, "true, false, gaussian or orthogonal");
        for (Map.Entry<String, JsonElement> option : json.entrySet()) {
            String name = option.getKey();
            if (!READ.contains(name) && !ASIDE.contains(name) && !isOff(option.getValue())) {
                throw new IllegalArgumentException(
                        name
                                + " of "
                                + option.getValue()
                                + " is more than plain LoRA, which alone can be read");
            }
        }
    }

    private static void require(
            ConfigValues values, String name, Set<String> allowed, String inWords) {
        Optional<String> said = values.word(name);
        if (said.isPresent() && !allowed.contains(said.get())) {
            throw values.refuse(name, inWords);
        }
    }

    private static boolean isOff(JsonElement value) {
        return value.isJsonNull()
                || value.isJsonArray() && value.getAsJsonArray().isEmpty()
                || value.isJsonObject() && value.getAsJsonObject().isEmpty()
                || value.equals(new JsonPrimitive(false));
    }

    /** Finds the modules that have pairs, and refuses tensors that are not just these. */
    private Map<String, Module> match(int rank) {
        Map<String, Module> all = all(base);
        Map<String, Module> found = new LinkedHashMap<>();
        List<String> faults = new ArrayList<>();
        for (String name : weights.names()) {
            Matcher matcher = NAME.matcher(name);
            Module module = matcher.matches() ? all.get(matcher.group(1)) : null;
            if (module == null) {
                if (!isOfTheBase(name)) {
                    faults.add("unexpected " + name);
                }
                continue;
            }
            Shape shape =
                    matcher.group(2).equals("A") ? module.down(rank) : module.up(rank).shape();
            if (!weights.shape(name).equals(shape)) {
                faults.add(name + " is " + weights.shape(name) + ", not " + shape);
            } else if (!weights.type(name).floating()) {
                faults.add(name + " is of type " + weights.type(name));
            }
            found.put(matcher.group(1), module);
        }
        Set<String> targets = new LinkedHashSet<>();
        found.values().forEach(module -> targets.add(module.target()));
        all.forEach(
                (path, module) -> {
                    for (String letter : List.of("A", "B")) {
                        String name = PREFIX + path + ".lora_" + letter + ".weight";
                        if (targets.contains(module.target()) && !weights.names().contains(name)) {
                            faults.add("missing " + name);
                        }
                    }
                });
        if (found.isEmpty() || !faults.isEmpty()) {
            throw new IllegalArgumentException(
                    "the pairs are not those of the same modules in every layer of the base: "
                            + (faults.isEmpty() ? "there are none" : ModelFolder.few(faults)));
        }
        return found;
    }

    /** Whether a tensor is a weight of the base as it is, which peft adds to pairs of lm_head. */
    private boolean isOfTheBase(String name) {
        String own = base.storedName(name.replace(".base_layer.", ".").replace(PREFIX, ""));
        if (!base.weights().names().contains(own)
                || !base.weights().shape(own).equals(weights.shape(name))) {
            return false;
        }
        try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
            NDArray stored = weights.read(name, manager).toType(DataType.FLOAT32, false);
            NDArray ours = base.weights().read(own, manager).toType(DataType.FLOAT32, false);
            return stored.contentEquals(ours);
        }
    }

    private static JsonObject config(Lora lora, ModelFolder base) {
        JsonObject json = new JsonObject();
        json.addProperty("peft_type", "LORA");
        json.addProperty("task_type", "CAUSAL_LM");
        json.addProperty("base_model_name_or_path", base.folder().toString());
        json.addProperty("r", lora.rank());
        json.addProperty("lora_alpha", lora.alpha());
        if (lora.alpha() == Math.rint(lora.alpha()) && lora.alpha() < 1L << 53) {
            json.addProperty("lora_alpha", (long) lora.alpha()); // as peft writes it
        }
        json.addProperty("lora_dropout", lora.dropout());
        json.addProperty("use_rslora", lora.rankStabilized());
        JsonArray targets = new JsonArray();
        lora.targets().forEach(targets::add);
        json.add("target_modules", targets);
        json.addProperty("bias", "none");
        json.addProperty("fan_in_fan_out", false);
        json.addProperty("init_lora_weights", true);
        json.addProperty("inference_mode", true);
        json.add("modules_to_save", JsonNull.INSTANCE);
        return json;
    }
}
