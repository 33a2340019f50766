package org.posenc.checkpoint;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.initializer.Initializer;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.posenc.encoding.LayerSchedule;
import org.posenc.encoding.NoEncoding;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.rope.ContextLength;
import org.posenc.encoding.rope.LayoutPermutation;
import org.posenc.encoding.rope.Rope;
import org.posenc.encoding.rope.RopeParameters;
import org.posenc.encoding.rope.RopePrecision;
import org.posenc.encoding.rope.RotaryLayout;
import org.posenc.encoding.rope.RotaryPart;
import org.posenc.kernel.Slice;
import org.posenc.kernel.TorchScript;
import org.posenc.model.Transformer;
import org.posenc.model.TransformerConfig;

/**
 * A folder as Hugging Face's transformers read and write them: {@code config.json}, the weights in
 * {@code model.safetensors} or in several files with an index, and often a {@code tokenizer.json}.
 *
 * <p>Opening reads the configuration and the headers of the weights, and checks that they fit: each
 * tensor that the model needs is there in the right shape, and no other, but for an output that is
 * tied to the embeddings and stored beside them: the two are compared. {@link #load} reads the
 * weights. The model types are llama, mistral, qwen2, qwen3, phi3, gpt_neox and smollm3, those that
 * have one with a sliding window in all layers or in some.
 */
public final class ModelFolder {

    static final String CONFIG = "config.json";
    static final String WEIGHTS = "model.safetensors";
    static final String INDEX = "model.safetensors.index.json";
    static final String TOKENIZER = "tokenizer.json";
    static final String GENERATION = "generation_config.json";

    /** What older versions of transformers saved without need. */
    private static final Pattern COMPUTED =
            Pattern.compile(".*\\.(rotary_emb\\.inv_freq|attention\\.(bias|masked_bias))");

    /** Memory as it is, for what is read from files a moment later. */
    private static final Initializer UNFILLED = NDManager::create;

    private static final int NAMED = 5;

    private final Path folder;
    private final JsonObject json;
    private final DecoderFamily family;
    private final TransformerConfig config;
    private final RopeParameters rope;
    private final RopeConfig.Parsed positions;
    private final Safetensors weights;
    private final TiedOutput tied;
    private final Map<String, TensorTable.Tensor> tensors; // by their names in the folder

    private ModelFolder(Path folder, JsonObject json) {
        this.folder = folder;
        this.json = json;
        ConfigValues values = ConfigValues.of(json, "");
        family =
                DecoderFamily.of(
                        values.text("model_type").orElseThrow(() -> values.missing("model_type")));
        positions = RopeConfig.parse(json);
        rope = rope(positions.config());
        TransformerConfig said = family.read(json);
        family.refuseWhatIsNotDone(json);
        Path single = folder.resolve(WEIGHTS);
        weights = Safetensors.open(Files.exists(single) ? single : folder.resolve(INDEX));
        tied = TiedOutput.of(family, said, weights);
        config = tied.state() == TiedOutput.State.DIFFERENT ? family.read(untied(json)) : said;
        tensors = match();
    }

    private static JsonObject untied(JsonObject json) {
        JsonObject untied = json.deepCopy();
        untied.addProperty("tie_word_embeddings", false);
        return untied;
    }

    /**
     * Opens a folder.
     *
     * @param folder a folder with {@code config.json} and safetensors
     * @return what is in it
     * @throws IllegalArgumentException if something is missing, malformed or does not fit, or if
     *     our {@link Transformer} cannot be the model; one sentence says what
     */
    public static ModelFolder open(Path folder) {
        JsonObject json = ConfigValues.read(folder.resolve(CONFIG));
        try {
            return new ModelFolder(folder, json);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(folder + ": " + e.getMessage(), e);
        }
    }

    /**
     * Returns what the model is made of.
     *
     * @return the configuration
     */
    public TransformerConfig config() {
        return config;
    }

    /**
     * Returns the model's family.
     *
     * @return {@code model_type}
     */
    public String modelType() {
        return family.modelType();
    }

    /**
     * Returns how large the model is.
     *
     * @return its size
     */
    public ModelSize size() {
        return new ModelSize(config);
    }

    /**
     * Returns the folder's tensors.
     *
     * @return names, shapes and types, of all files together
     */
    public Safetensors weights() {
        return weights;
    }

    /**
     * Returns all that the configuration says of RoPE.
     *
     * @return what it says, layer by layer
     */
    public RopeConfig ropeConfig() {
        return positions.config();
    }

    /**
     * Returns the RoPE it was trained with.
     *
     * @return the parameters
     */
    public RopeParameters rope() {
        return rope;
    }

    /**
     * Returns the longest context it is made for.
     *
     * @return {@code max_position_embeddings}, in tokens
     */
    public long length() {
        return positions.config().maxPositions();
    }

    /**
     * Returns the longest context that it was trained for before its RoPE was scaled.
     *
     * @return {@code original_max_position_embeddings} of a scaling that has it, else {@link
     *     #length()}, in tokens
     */
    public long originalLength() {
        RopeConfig said = positions.config();
        return said.originalPositions(said.mainType());
    }

    /**
     * Returns what a reader should know about the reading of its RoPE and of a tied output.
     *
     * @return sentences, none where everything is said in so many words
     */
    public List<String> remarks() {
        return Stream.concat(positions.remarks().stream(), tied.remark().stream()).toList();
    }

    /**
     * Returns the tokens that end a text.
     *
     * @return {@code eos_token_id} of generation_config.json, where that says it, else of
     *     config.json; none where neither does
     * @throws IllegalArgumentException if a file says something else than whole numbers
     */
    public List<Long> endTokens() {
        Path generation = folder.resolve(GENERATION);
        List<Long> said =
                Files.isRegularFile(generation)
                        ? endTokens(ConfigValues.read(generation), generation)
                        : List.of();
        return said.isEmpty() ? endTokens(json, folder.resolve(CONFIG)) : said;
    }

    private static List<Long> endTokens(JsonObject json, Path file) {
        JsonElement said = json.get("eos_token_id");
        if (said == null || said.isJsonNull()) {
            return List.of();
        }
        List<JsonElement> all = said.isJsonArray() ? said.getAsJsonArray().asList() : List.of(said);
        return all.stream()
                .map(
                        id -> {
                            if (!id.isJsonPrimitive() || !id.getAsString().matches("\\d{1,18}")) {
                                throw new IllegalArgumentException(
                                        file
                                                + ": eos_token_id must be a whole number or a list"
                                                + " of them, got "
                                                + said);
                            }
                            return id.getAsLong();
                        })
                .toList();
    }

    /**
     * Returns the folder's tokenizer.
     *
     * @return {@code tokenizer.json}, where there is one
     */
    public Optional<Path> tokenizer() {
        return Optional.of(folder.resolve(TOKENIZER)).filter(Files::isRegularFile);
    }

    /**
     * Reads the model with the RoPE of its configuration, {@link #encoding()}.
     *
     * @param manager owns the weights and decides their device
     * @param type float32, float16 or float64; what is stored otherwise is converted
     * @return the model
     * @throws IllegalArgumentException if the weights cannot be read
     */
    public Transformer load(NDManager manager, DataType type) {
        return load(manager, type, encoding());
    }

    /**
     * Reads the model with another encoding, such as RoPE stretched to a longer context.
     *
     * <p>The encoding's layout decides in which order the rows of queries and keys are read: in the
     * folder they stand as halves, and for {@link Rope} of interleaved pairs, which is faster, they
     * are put side by side. {@link ModelFolderWriter} puts them back. An encoding that the model
     * gets later, {@link Transformer#withEncoding}, must have the same layout; that is halves where
     * this encoding has none.
     *
     * @param manager owns the weights and decides their device
     * @param type float32, float16 or float64; what is stored otherwise is converted
     * @param encoding what positions do
     * @return the model
     * @throws IllegalArgumentException if the weights cannot be read
     */
    public Transformer load(NDManager manager, DataType type, PositionalEncoding encoding) {
        TorchScript.checkType(type);
        Transformer model = new Transformer(config, pairs(encoding)).withEncoding(encoding);
        Map<String, Parameter> parameters = parameters(model);
        TensorTable.parameters(config)
                .keySet()
                .forEach(name -> parameters.get(name).setInitializer(UNFILLED));
        model.initialize(manager, type, new Shape(1, 1));
        Map<String, NDArray> arrays = arrays(parameters);
        tensors.forEach((name, tensor) -> tensor.load(weights, name, arrays));
        Map<String, LayoutPermutation> orders = StoredRows.of(model);
        arrays.forEach(
                (path, array) -> {
                    LayoutPermutation order = orders.get(StoredRows.block(path));
                    if (order != null) {
                        reorder(array, order.inverse());
                    }
                });
        return model;
    }

    /** RoPE of the layout that an encoding has, and of halves, as rows are stored, elsewhere. */
    private PositionalEncoding pairs(PositionalEncoding encoding) {
        List<PositionalEncoding> layers = new ArrayList<>();
        for (int i = 0; i < config.layers(); i++) {
            Optional<RotaryLayout> layout = encoding.rotaryPart(i).map(RotaryPart::layout);
            boolean turned = layout.isPresent() || positions.config().layer(i).isPresent();
            layers.add(
                    turned
                            ? Rope.builder()
                                    .setParameters(rope)
                                    .setLayout(layout.orElse(RotaryLayout.HALF_SPLIT))
                                    .build()
                            : new NoEncoding());
        }
        return new LayerSchedule(layers);
    }

    /** Puts an array's rows into another order, in place. */
    static void reorder(NDArray array, LayoutPermutation order) {
        try (NDArray rows = array.stopGradient();
                NDArray reordered = order.apply(rows)) {
            Slice.write(rows, 0, 0, reordered);
        }
    }

    /**
     * Returns where it is.
     *
     * @return the folder
     */
    public Path folder() {
        return folder;
    }

    JsonObject json() {
        return json;
    }

    DecoderFamily family() {
        return family;
    }

    /** The one RoPE of all layers that have any. */
    private static RopeParameters rope(RopeConfig config) {
        Set<RopeParameters> all = new LinkedHashSet<>();
        config.parameters().values().forEach(parameters -> parameters.ifPresent(all::add));
        if (all.size() != 1 || config.sections().isPresent()) {
            throw new IllegalArgumentException(
                    "layers of different RoPE and multi-section RoPE cannot be read, got "
                            + config);
        }
        return all.iterator().next();
    }

    /**
     * Makes the encoding of its configuration, as Hugging Face computes it, but each row of a batch
     * by itself and with interleaved pairs.
     *
     * @return a new block: RoPE, or a schedule where some layers do without
     */
    public PositionalEncoding encoding() {
        return encoding(rope, new ContextLength.EachRow());
    }

    /**
     * Makes an encoding of other parameters, such as those of a longer context, in the layers that
     * have RoPE. Pairs are interleaved, see {@link #load(NDManager, DataType, PositionalEncoding)}.
     *
     * @param parameters dimensions, base and scaling
     * @param length what counts as length for a scaling that depends on it
     * @return a new block: RoPE, or a schedule where some layers do without
     * @throws IllegalArgumentException if the parameters are of another head dimension
     */
    public PositionalEncoding encoding(RopeParameters parameters, ContextLength length) {
        if (parameters.headDimension() != config.headDimension()) {
            throw new IllegalArgumentException(
                    "this model's head dimension is "
                            + config.headDimension()
                            + ", got RoPE of "
                            + parameters.headDimension());
        }
        RopeConfig said = positions.config();
        Rope rotary =
                Rope.builder()
                        .setParameters(parameters)
                        .setLayout(RotaryLayout.INTERLEAVED)
                        .optLength(length)
                        .optPrecision(RopePrecision.HUGGING_FACE)
                        .build();
        if (said.parameters().values().stream().allMatch(Optional::isPresent)) {
            return rotary;
        }
        PositionalEncoding none = new NoEncoding();
        return new LayerSchedule(
                IntStream.range(0, config.layers())
                        .mapToObj(layer -> said.layer(layer).isPresent() ? rotary : none)
                        .toList());
    }

    /** Returns a model's parameters by plain names, such as {@code layer0.attention.key.weight}. */
    static Map<String, Parameter> parameters(Transformer model) {
        return model.named();
    }

    static Map<String, NDArray> arrays(Map<String, Parameter> parameters) {
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        parameters.forEach((name, parameter) -> arrays.put(name, parameter.getArray()));
        return arrays;
    }

    /** Finds the tensors that the model needs, and refuses a folder that has not just these. */
    private Map<String, TensorTable.Tensor> match() {
        if (config.layers() > weights.names().size()) {
            throw new IllegalArgumentException(
                    "config.json describes "
                            + config.layers()
                            + " layers, and the weights have "
                            + weights.names().size()
                            + " tensors in all");
        }
        Map<String, TensorTable.Tensor> found = new LinkedHashMap<>();
        List<String> missing = new ArrayList<>();
        List<String> misshapen = new ArrayList<>();
        Set<String> unexpected = new LinkedHashSet<>(weights.names());
        unexpected.removeIf(name -> COMPUTED.matcher(name).matches());
        if (tied.state() == TiedOutput.State.BOTH) {
            unexpected.remove(tied.output());
        }
        for (TensorTable.Tensor tensor : family.tensors().of(config)) {
            String name = storedName(tensor.name());
            if (!unexpected.remove(name)) {
                missing.add(name);
            } else if (!weights.shape(name).equals(tensor.shape())) {
                misshapen.add(name + " " + weights.shape(name) + " not " + tensor.shape());
            } else if (!weights.type(name).floating()) {
                misshapen.add(name + " of type " + weights.type(name));
            } else {
                found.put(name, tensor);
            }
        }
        List<String> faults = new ArrayList<>();
        tell("missing", missing, faults);
        tell("unexpected", unexpected, faults);
        tell("misshapen", misshapen, faults);
        if (!faults.isEmpty()) {
            throw new IllegalArgumentException(
                    "the weights are not those of the "
                            + family.modelType()
                            + " model that config.json describes: "
                            + String.join("; ", faults));
        }
        return found;
    }

    /**
     * Returns what this folder calls a tensor: since version 5, transformers calls the output of
     * every model the same, and embeddings may be stored as the output that is tied to them.
     */
    String storedName(String name) {
        boolean asOutput =
                tied.state() == TiedOutput.State.OUTPUT && name.equals(tied.embeddings());
        return asOutput || name.equals("embed_out.weight") ? tied.output() : name;
    }

    TiedOutput tied() {
        return tied;
    }

    private static void tell(String what, Collection<String> tensors, List<String> faults) {
        if (!tensors.isEmpty()) {
            faults.add(what + " " + few(tensors));
        }
    }

    /** The first of many, and how many more there are. */
    static String few(Collection<String> many) {
        String names = many.stream().limit(NAMED).collect(Collectors.joining(", "));
        return many.size() > NAMED ? names + " and " + (many.size() - NAMED) + " more" : names;
    }
}
