package org.posenc.checkpoint;

import ai.djl.ndarray.NDArray;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.posenc.encoding.LayerSchedule;
import org.posenc.encoding.NoEncoding;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.rope.LayoutPermutation;
import org.posenc.encoding.rope.Rope;
import org.posenc.encoding.rope.RopeParameters;
import org.posenc.encoding.rope.RotaryLayout;
import org.posenc.model.Transformer;
import org.posenc.report.AtomicFile;

/**
 * Writes a Transformer with RoPE as a folder that Hugging Face's transformers, and all that read
 * the same, load with the same logits.
 *
 * <p>A model read from a folder keeps its family and the other keys of its configuration, {@link
 * #optLike}. A new one becomes the first family that has all its parts: llama where it has RMSNorm,
 * SwiGLU and biases in all projections of attention or none; qwen2 or qwen3 with biases or norms at
 * queries and keys; gpt_neox with LayerNorm, GELU and biases. Dropout is not a part.
 *
 * <p>Files appear one by one, each whole, {@code config.json} the last: a folder that has one has
 * all the rest.
 */
public final class ModelFolderWriter {

    private static final Gson JSON =
            new GsonBuilder().setPrettyPrinting().serializeNulls().disableHtmlEscaping().create();

    private static final String TOKENIZER_CONFIG = "tokenizer_config.json";
    private static final String LONGEST = "model_max_length";

    /** What a folder may hold beside the model that a copy of it is to hold too. */
    private static final List<String> BESIDE =
            List.of(
                    ModelFolder.TOKENIZER,
                    TOKENIZER_CONFIG,
                    "special_tokens_map.json",
                    "tokenizer.model",
                    "vocab.json",
                    "merges.txt",
                    "chat_template.jinja",
                    ModelFolder.GENERATION);

    private final Transformer model;
    private long length;
    private StoredType type = StoredType.F32;
    private boolean typesLikeTheFolders;
    private long shardBytes = 5_000_000_000L;
    private ModelFolder like;
    private Path tokenizer;
    private RopeConfig.KeyStyle keys = RopeConfig.KeyStyle.OLD;

    /**
     * A writer of a model.
     *
     * @param model an initialised model whose encoding is RoPE, in some layers or in all; one of
     *     interleaved pairs is written with the rows of its projections in the order of halves
     */
    public ModelFolderWriter(Transformer model) {
        this.model = model;
    }

    /**
     * Sets the longest context the model is made for.
     *
     * @param length {@code max_position_embeddings}, in tokens
     * @return this writer
     */
    public ModelFolderWriter setLength(long length) {
        this.length = length;
        return this;
    }

    /**
     * Sets the type of the weights on disk.
     *
     * @param type F32, BF16 or F16; F32 where it is not set
     * @return this writer
     */
    public ModelFolderWriter optType(StoredType type) {
        this.type = type;
        typesLikeTheFolders = false;
        return this;
    }

    /**
     * Stores each tensor in the type that it has in the folder of {@link #optLike}, so that weights
     * that were read and not changed are written as they were, to the last bit.
     *
     * @return this writer
     */
    public ModelFolderWriter optStoredTypes() {
        typesLikeTheFolders = true;
        return this;
    }

    /**
     * Sets how large a file of weights may be. Larger models are written in several with an index.
     *
     * @param bytes at least 1; 5 GB where it is not set. A tensor is never cut, so the file of one
     *     that is larger is too
     * @return this writer
     */
    public ModelFolderWriter optShardSize(long bytes) {
        if (bytes < 1) {
            throw new IllegalArgumentException(
                    "a file of weights must have room for at least 1 byte, got " + bytes);
        }
        this.shardBytes = bytes;
        return this;
    }

    /**
     * Sets the folder that the model came from: family, other keys of the configuration and the
     * files of its tokenizer are taken from there.
     *
     * @param folder the folder; where it is not set, the family follows from the model
     * @return this writer
     */
    public ModelFolderWriter optLike(ModelFolder folder) {
        this.like = folder;
        return this;
    }

    /**
     * Sets the tokenizer.
     *
     * @param file a {@code tokenizer.json} without special tokens
     * @return this writer
     */
    public ModelFolderWriter optTokenizer(Path file) {
        this.tokenizer = file;
        return this;
    }

    /**
     * Sets which keys say what RoPE is.
     *
     * @param keys new ones are read since transformers 5; where it is not set the old ones, which
     *     every version and most other programs read
     * @return this writer
     */
    public ModelFolderWriter optKeys(RopeConfig.KeyStyle keys) {
        this.keys = keys;
        return this;
    }

    /**
     * Writes the folder.
     *
     * @param folder where to; made where there is none, and files of the same names are replaced
     * @throws IllegalArgumentException if no family has the model, a length is missing, a value
     *     does not fit into the type, or a file cannot be written
     */
    public void write(Path folder) {
        if (length < 1) {
            throw new IllegalArgumentException(
                    "a folder names the longest context its model is made for, at least 1 token,"
                            + " got "
                            + length);
        }
        if (model.lora().isPresent()) {
            throw new IllegalArgumentException(
                    "merge or detach the LoRA pairs before the model is written, or write the"
                            + " pairs alone as an adapter folder");
        }
        List<PositionalEncoding> layers =
                model.encoding() instanceof LayerSchedule schedule
                        ? schedule.layers()
                        : Collections.nCopies(model.config().layers(), model.encoding());
        if (typesLikeTheFolders && like == null) {
            throw new IllegalArgumentException(
                    "types are those of a folder, and the folder to be like is missing");
        }
        boolean everyLayerHasRope = layers.stream().noneMatch(NoEncoding.class::isInstance);
        DecoderFamily family =
                like == null ? DecoderFamily.of(model.config(), everyLayerHasRope) : like.family();
        family.require(
                model.config(), everyLayerHasRope, like == null ? new JsonObject() : like.json());
        JsonObject config = rope(family, layers).writeInto(config(family), keys);
        writeWeights(family, folder);
        if (like != null) {
            BESIDE.forEach(name -> copy(like.folder().resolve(name), folder.resolve(name)));
            letTokenizerReach(folder.resolve(TOKENIZER_CONFIG));
        }
        if (tokenizer != null) {
            copy(tokenizer, folder.resolve(ModelFolder.TOKENIZER));
            JsonObject tokens = new JsonObject();
            tokens.addProperty("tokenizer_class", "PreTrainedTokenizerFast");
            tokens.addProperty(LONGEST, length);
            tokens.addProperty("clean_up_tokenization_spaces", false);
            write(folder.resolve(TOKENIZER_CONFIG), tokens);
        }
        write(folder.resolve(ModelFolder.CONFIG), config);
    }

    /** A tokenizer that was made for a shorter context would cut texts at its length. */
    private void letTokenizerReach(Path file) {
        if (!Files.isRegularFile(file)) {
            return;
        }
        JsonObject tokens = ConfigValues.read(file);
        JsonElement longest = tokens.get(LONGEST);
        boolean number =
                longest != null
                        && longest.isJsonPrimitive()
                        && longest.getAsJsonPrimitive().isNumber();
        if (number && longest.getAsDouble() < length) {
            tokens.addProperty(LONGEST, length);
            write(file, tokens);
        }
    }

    private void writeWeights(DecoderFamily family, Path folder) {
        Map<String, NDArray> arrays = ModelFolder.arrays(ModelFolder.parameters(model));
        Map<String, LayoutPermutation> orders = StoredRows.of(model);
        Map<String, Safetensors.Source> tensors = new LinkedHashMap<>();
        Map<String, StoredType> types = new LinkedHashMap<>();
        for (TensorTable.Tensor tensor : family.tensors().of(model.config())) {
            for (String name : storedNames(tensor)) {
                // Packed and reordered one after the other: memory may have no room for all.
                Supplier<NDArray> numbers =
                        () -> {
                            Map<String, NDArray> own = new LinkedHashMap<>(arrays);
                            own.keySet().retainAll(tensor.parameters());
                            return tensor.pack(StoredRows.stored(orders, own));
                        };
                tensors.put(name, new Safetensors.Source(tensor.shape(), numbers));
                types.put(name, typesLikeTheFolders ? like.weights().type(name) : type);
            }
        }
        SafetensorsShards weights = new SafetensorsShards(folder, tensors, types, shardBytes);
        weights.checkRoom();
        // New weights beside an older configuration would be read without complaint.
        Path config = folder.resolve(ModelFolder.CONFIG);
        try {
            byte[] before = Files.isRegularFile(config) ? Files.readAllBytes(config) : null;
            Files.deleteIfExists(config);
            try {
                weights.write(Map.of("format", "pt"));
            } catch (IllegalArgumentException e) {
                if (before != null && weights.untouched()) {
                    AtomicFile.write(config, out -> out.write(before));
                }
                throw e;
            }
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    config + " cannot be replaced: " + e.getMessage(), e);
        }
    }

    /** As the folder that the model came from has it, which may hold tied embeddings twice. */
    private List<String> storedNames(TensorTable.Tensor tensor) {
        if (like == null) {
            return List.of(tensor.name());
        }
        String name = like.storedName(tensor.name());
        boolean twice =
                like.tied().state() == TiedOutput.State.BOTH
                        && model.config().tiedOutput()
                        && name.equals(like.tied().embeddings());
        return twice ? List.of(name, like.tied().output()) : List.of(name);
    }

    /** Everything but RoPE. */
    private JsonObject config(DecoderFamily family) {
        JsonObject before = like == null ? new JsonObject() : like.json();
        JsonObject config = family.write(model.config(), before);
        if (like == null) {
            config.add("bos_token_id", JsonNull.INSTANCE);
            config.add("eos_token_id", JsonNull.INSTANCE);
            config.add("pad_token_id", JsonNull.INSTANCE);
        }
        if (!typesLikeTheFolders) {
            config.remove("dtype"); // transformers 5 reads its older name too
            config.addProperty("torch_dtype", type.inPyTorch());
        }
        return config;
    }

    /** What layers without an encoding and layers with one and the same RoPE say together. */
    private RopeConfig rope(DecoderFamily family, List<PositionalEncoding> layers) {
        Map<String, Optional<RopeParameters>> parameters = new LinkedHashMap<>();
        List<String> types = new ArrayList<>();
        for (PositionalEncoding layer : layers) {
            String type = layer instanceof NoEncoding ? RopeConfig.NONE : RopeConfig.EVERY;
            Optional<RopeParameters> rope =
                    layer instanceof NoEncoding ? Optional.empty() : Optional.of(rope(layer));
            Optional<RopeParameters> before = parameters.putIfAbsent(type, rope);
            if (before != null && !before.equals(rope)) {
                throw new IllegalArgumentException(
                        "layers with different RoPE cannot be written, got "
                                + before.get()
                                + " and "
                                + rope.get());
            }
            types.add(type);
        }
        return new RopeConfig(
                family.modelType(),
                Optional.of(RotaryLayout.HALF_SPLIT),
                length,
                parameters,
                types,
                Optional.empty());
    }

    private static RopeParameters rope(PositionalEncoding encoding) {
        if (!(encoding instanceof Rope rope)) {
            throw new IllegalArgumentException(
                    "Hugging Face's decoders have rotary positions, got " + encoding);
        }
        if (!rope.getParameters().isEmpty()) {
            throw new IllegalArgumentException(
                    "Hugging Face's decoders have no frequencies that were learned, got " + rope);
        }
        return rope.parameters();
    }

    private static void copy(Path from, Path to) {
        if (Files.isRegularFile(from) && !from.toAbsolutePath().equals(to.toAbsolutePath())) {
            AtomicFile.write(to, out -> Files.copy(from, out));
        }
    }

    private static void write(Path file, JsonObject json) {
        AtomicFile.write(file, JSON.toJson(json) + "\n");
    }
}
