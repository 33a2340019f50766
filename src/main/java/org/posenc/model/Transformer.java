package org.posenc.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Embedding;
import ai.djl.training.ParameterStore;
import ai.djl.util.Pair;
import ai.djl.util.PairList;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.posenc.attention.AttentionMask;
import org.posenc.attention.KeyValueCache;
import org.posenc.attention.Lora;
import org.posenc.attention.Projection;
import org.posenc.encoding.ConfiguredBlock;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Positions;
import org.posenc.encoding.SeededInitializer;
import org.posenc.encoding.Settings;
import org.posenc.encoding.rope.RotaryPart;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.Cast;
import org.posenc.kernel.CrossEntropy;
import org.posenc.kernel.LinearMap;
import org.posenc.kernel.Recomputation;
import org.posenc.kernel.Scalars;

/**
 * A Transformer, decoder or encoder, with any positional encoding: token embeddings, the encoding's
 * embed seam, N pre-norm layers whose attention calls the encoding's other seams, a last norm, and
 * an output over the vocabulary.
 *
 * <p>It holds the families of Llama, Mistral, Qwen and GPT-NeoX. As a plain DJL block it takes (ids
 * (B, T) int64), (ids, positions (T) or (B, T)) or (ids, positions, documents (B, T)) and returns
 * logits (B, T, V); positions are 0 … T − 1 where none are given, and with documents a token sees
 * those of its own only.
 *
 * <p>Initial weights are normal numbers of deviation 0.02, of 0.02/√(2N) where a map ends in the
 * residual stream, and of 1/scale for scaled token embeddings. They depend on the configuration's
 * seed alone: two models that differ in their encoding only start from the same weights.
 */
public final class Transformer extends ConfiguredBlock {

    private static final byte VERSION = 1;

    private static final double DEVIATION = 0.02;

    /** How many scores are computed at once where only losses are wanted. */
    private static final long SCORES = 1L << 25;

    private final TransformerConfig config;
    private final PositionalEncoding encoding;
    private final Parameter tokens; // (V, E)
    private final List<TransformerLayer> layers = new ArrayList<>();
    private final Map<Integer, RotaryPart> turned = new HashMap<>(); // what layers were made for
    private final Block norm;
    private final Projection output; // null where it is tied

    /**
     * A Transformer with fresh weights.
     *
     * @param config what it is made of
     * @param encoding what positions do; it becomes a child, saved and trained with the model
     */
    public Transformer(TransformerConfig config, PositionalEncoding encoding) {
        super(VERSION);
        this.config = config;
        this.encoding = addChildBlock("encoding", encoding);
        tokens =
                addParameter(
                        Parameter.builder()
                                .setName("tokens")
                                .setType(Parameter.Type.WEIGHT)
                                .optShape(new Shape(config.vocabulary(), config.embeddingSize()))
                                .optInitializer(normal(tokenDeviation(), "tokens"))
                                .build());
        for (int i = 0; i < config.layers(); i++) {
            TransformerLayer layer = addChildBlock("layer" + i, new TransformerLayer(config, i));
            layers.add(layer);
            seedWeights(layer, "layer" + i);
            encoding.rotaryPart(i).ifPresent(turns(i));
        }
        norm = addChildBlock("norm", TransformerLayer.norm(config));
        output =
                config.tiedOutput()
                        ? null
                        : addChildBlock("output", new Projection(config.vocabulary(), false));
        if (output != null) {
            seedWeights(output, "output");
        }
    }

    /** The same weights under another encoding. */
    private Transformer(Transformer trained, PositionalEncoding encoding) {
        super(VERSION);
        config = trained.config;
        this.encoding = addChildBlock("encoding", encoding);
        tokens = addParameter(trained.tokens);
        turned.putAll(trained.turned);
        for (int i = 0; i < trained.layers.size(); i++) {
            layers.add(addChildBlock("layer" + i, trained.layers.get(i)));
            encoding.rotaryPart(i).ifPresent(turns(i));
        }
        norm = addChildBlock("norm", trained.norm);
        output = trained.output == null ? null : addChildBlock("output", trained.output);
    }

    /**
     * Returns this model with another encoding, such as one stretched to a longer context. The two
     * share their weights: training one trains the other.
     *
     * @param other what positions do in the new model; where this model is initialised, so is it
     * @return a new block over the same layers
     * @throws IllegalArgumentException if it turns pairs of another layout than the weights were
     *     made for, by this encoding or one before it
     */
    public Transformer withEncoding(PositionalEncoding other) {
        Transformer swapped = new Transformer(this, other);
        if (isInitialized()) {
            NDArray table = tokens.getArray();
            swapped.initialize(table.getManager(), table.getDataType(), getInputShapes());
        }
        return swapped;
    }

    private Consumer<RotaryPart> turns(int layer) {
        return part -> {
            RotaryPart before = turned.put(layer, part);
            if (before != null && before.layout() != part.layout()) {
                throw new IllegalArgumentException(
                        "the queries and keys of layer "
                                + layer
                                + " were made for pairs that are "
                                + Settings.nameOf(before.layout())
                                + ", and those of the other encoding are "
                                + Settings.nameOf(part.layout())
                                + ": make it with the first layout, or load the folder with it");
            }
        };
    }

    /**
     * Returns which components of a layer's queries and keys its weights have as pairs.
     *
     * @param layer the layer's index, from 0
     * @return the part that the encoding turns, or that the one before it turned; empty where there
     *     never was any
     */
    public Optional<RotaryPart> rotaryPart(int layer) {
        return Optional.ofNullable(turned.get(layer));
    }

    private double tokenDeviation() {
        return config.embeddingScale() == 1 ? DEVIATION : 1 / config.embeddingScale();
    }

    private void seedWeights(Block block, String path) {
        for (Pair<String, Parameter> entry : block.getParameters()) {
            if (entry.getValue().getType() == Parameter.Type.WEIGHT) {
                boolean residual =
                        entry.getKey().contains("output_") || entry.getKey().contains("down_");
                double scale = residual ? 1 / Math.sqrt(2 * config.layers()) : 1;
                String name = path + "/" + entry.getKey();
                entry.getValue().setInitializer(normal(DEVIATION * scale, name));
            }
        }
    }

    private SeededInitializer normal(double deviation, String name) {
        return SeededInitializer.normal(deviation, config.seed(), name);
    }

    /**
     * Returns what it is made of.
     *
     * @return the configuration
     */
    public TransformerConfig config() {
        return config;
    }

    /**
     * Returns what positions do in it.
     *
     * @return the encoding
     */
    public PositionalEncoding encoding() {
        return encoding;
    }

    /**
     * Returns the parameters by plain names, such as {@code layer0.attention.key.weight}, {@code
     * layer0.feedForwardNorm.gain}, {@code tokens}, {@code norm.gain}, {@code output.weight} or
     * {@code layer0.attention.key.loraA}.
     *
     * @return all of them, the encoding's among them, in the order of {@link #getParameters}; one
     *     that several blocks share bears each one's name
     */
    public Map<String, Parameter> named() {
        Map<String, Parameter> named = new LinkedHashMap<>();
        for (Pair<String, Parameter> entry : getParameters()) {
            // DJL puts each child's number before its name: 02layer0_01…
            String name = entry.getKey().replaceAll("(^|_)\\d+", "$1");
            named.put(name.replace('_', '.'), entry.getValue());
        }
        return named;
    }

    /**
     * Keeps parameters from being trained: they get no gradients, which then take no memory, and no
     * optimizer of this library touches them. Freeze after a model is loaded, and do not make its
     * trainer by DJL's {@code Model.newTrainer}, which thaws all; {@code
     * training.SingleDeviceTrainer} does not.
     *
     * @param names is looked for within the names of {@link #named}, such as {@code
     *     layer[0-5]\\.|tokens}
     * @return the names of those that it froze
     * @throws IllegalArgumentException if there is no such parameter
     */
    public List<String> freeze(Pattern names) {
        Map<String, Parameter> frozen = new LinkedHashMap<>(named());
        List<String> all = List.copyOf(frozen.keySet());
        frozen.keySet().removeIf(name -> !names.matcher(name).find());
        if (frozen.isEmpty()) {
            throw new IllegalArgumentException(
                    "no parameter's name has \""
                            + names
                            + "\" in it; they are named "
                            + String.join(", ", all.subList(0, Math.min(6, all.size())))
                            + " and so on");
        }
        frozen.values().forEach(parameter -> parameter.freeze(true));
        return List.copyOf(frozen.keySet());
    }

    /** Lets every parameter be trained again. */
    public void thaw() {
        getParameters().values().forEach(parameter -> parameter.freeze(false));
    }

    /**
     * Attaches LoRA pairs to the projections named and freezes everything else: what is trained
     * from now on are the parameters {@code …loraA} and {@code …loraB}. Until the first step the
     * logits are what they were.
     *
     * @param lora which projections, and how
     * @throws IllegalArgumentException if the model is not initialised or adapted already, or has
     *     no such module in its layers
     */
    public void adapt(Lora lora) {
        if (!isInitialized()) {
            throw new IllegalArgumentException("initialise or load a model before it is adapted");
        }
        Map<String, List<Projection>> modules = new LinkedHashMap<>();
        Map<String, Projection> free = projections();
        for (String target : lora.targets()) {
            for (int i = 0; i < layers.size(); i++) {
                String layer = "layer" + i + ".";
                List<Projection> parts = new ArrayList<>();
                for (String part : Lora.MODULES.get(target)) {
                    boolean outside = part.equals("output");
                    if (!outside || i == 0) {
                        parts.add(take(free, outside ? part : layer + part, target));
                    }
                }
                if (!parts.isEmpty()) {
                    modules.put(layer + target, parts);
                }
            }
        }
        getParameters().values().forEach(parameter -> parameter.freeze(true));
        modules.forEach(
                (name, parts) -> {
                    Parameter down = parts.get(0).down(lora, name);
                    parts.forEach(part -> part.attach(lora, down));
                });
    }

    private static Projection take(Map<String, Projection> free, String name, String target) {
        Projection projection = free.remove(name);
        if (projection == null || projection.lora().isPresent()) {
            throw new IllegalArgumentException(
                    "LoRA's target module \""
                            + target
                            + "\" is not in this model, or adapted already: there is no free "
                            + name);
        }
        return projection;
    }

    /**
     * Returns how the model is adapted.
     *
     * @return empty where it has no LoRA pairs
     */
    public Optional<Lora> lora() {
        return projections().values().stream().flatMap(p -> p.lora().stream()).findFirst();
    }

    /** Adds LoRA pairs to the weights, takes them away, and lets every parameter be trained. */
    public void merge() {
        projections().values().forEach(Projection::merge);
        detach();
    }

    /** Takes LoRA pairs away without a trace, and lets every parameter be trained. */
    public void detach() {
        projections().values().forEach(Projection::detach);
        thaw();
    }

    /** The linear maps by plain names, such as {@code layer0.attention.key} or {@code output}. */
    private Map<String, Projection> projections() {
        Map<String, Projection> found = new LinkedHashMap<>();
        collect(this, "", found);
        return found;
    }

    private static void collect(Block block, String path, Map<String, Projection> found) {
        for (Pair<String, Block> child : block.getChildren()) {
            String name = path + child.getKey().replaceAll("^\\d+", "");
            if (child.getValue() instanceof Projection projection) {
                found.put(name, projection);
            } else {
                collect(child.getValue(), name + ".", found);
            }
        }
    }

    /**
     * Computes scores of each token of the vocabulary at each position.
     *
     * @param ids (B, T), int64, in [0, V)
     * @param positions (T) or (B, T)
     * @param mask which tokens may be seen; a decoder adds its causal rule
     * @param parameters gives the parameters on the ids' device
     * @param training whether gradients flow and dropout acts
     * @return (B, T, V), in the weights' type and the ids' manager
     * @throws IllegalArgumentException if ids are not an int64 matrix
     */
    public NDArray logits(
            NDArray ids,
            Positions positions,
            AttentionMask mask,
            ParameterStore parameters,
            boolean training) {
        NDArray last = run(ids, positions, mask, null, parameters, training, null);
        return head(last, parameters, training);
    }

    /**
     * Returns an empty cache for this decoder.
     *
     * @param manager the cache is closed with it at the latest
     * @param policy in which state keys are kept
     * @return a cache, to be closed
     * @throws IllegalArgumentException if this is an encoder, or its encoding forbids the policy
     */
    public KeyValueCache cache(NDManager manager, KeyValueCache.Policy policy) {
        checkCausal();
        return new KeyValueCache(manager, encoding, config.layers(), policy);
    }

    /**
     * Computes scores of each token of the vocabulary at each position, for tokens that continue
     * those of a cache, which keeps the new ones too. No gradients flow.
     *
     * @param ids (B, T), int64, in [0, V): the new tokens of each row, any number of them
     * @param positions their positions, (T) or (B, T)
     * @param tokens (B, T), 0 where a new token is padding and 1 elsewhere; {@code null} where
     *     there is no padding
     * @param cache of {@link #cache}
     * @param parameters gives the parameters on the ids' device
     * @return (B, T, V), in the weights' type and the ids' manager
     * @throws IllegalArgumentException if ids are not an int64 matrix, or do not fit the cache
     */
    public NDArray logits(
            NDArray ids,
            Positions positions,
            NDArray tokens,
            KeyValueCache cache,
            ParameterStore parameters) {
        return continued(ids, positions, tokens, cache, parameters, false);
    }

    /**
     * As {@link #logits(NDArray, Positions, NDArray, KeyValueCache, ParameterStore)}, for the last
     * position of each row alone: what the next token is chosen by. Rows of different lengths are
     * padded on the left, so that their last tokens stand in the last column.
     *
     * @param ids (B, T), int64, in [0, V)
     * @param positions (T) or (B, T)
     * @param tokens (B, T), 0 where a new token is padding, or {@code null}
     * @param cache of {@link #cache}
     * @param parameters gives the parameters on the ids' device
     * @return (B, V), in the weights' type and the ids' manager
     * @throws IllegalArgumentException if ids are not an int64 matrix, or do not fit the cache
     */
    public NDArray nextLogits(
            NDArray ids,
            Positions positions,
            NDArray tokens,
            KeyValueCache cache,
            ParameterStore parameters) {
        try (NDArray last = continued(ids, positions, tokens, cache, parameters, true)) {
            return last.squeeze(1);
        }
    }

    private void checkCausal() {
        if (!config.causal()) {
            throw new IllegalArgumentException(
                    "only a causal Transformer can keep keys and values: in an encoder, tokens that"
                            + " come later change those before them");
        }
    }

    private NDArray continued(
            NDArray ids,
            Positions positions,
            NDArray tokens,
            KeyValueCache cache,
            ParameterStore parameters,
            boolean lastAlone) {
        check(ids, positions);
        checkCausal();
        Shape s = ids.getShape();
        try (Autograd.Scope off = Autograd.off();
                KeyValueCache.Pass pass =
                        cache.pass(encoding, layers.size(), s.get(0), positions, tokens)) {
            NDArray x = run(ids, positions, pass.mask(), pass, parameters, false, null);
            pass.complete();
            if (lastAlone) {
                try (NDArray all = x) {
                    x = all.get(columns(s.get(1) - 1, s.get(1)));
                }
            }
            return head(x, parameters, false);
        }
    }

    /**
     * Computes scores of each token of the vocabulary at the last S positions of each row. Those of
     * the others never exist, and no gradients flow.
     *
     * @param ids (B, T), int64, in [0, V)
     * @param positions (T) or (B, T)
     * @param mask which tokens may be seen; a decoder adds its causal rule
     * @param count S, from 1 to T
     * @param parameters gives the parameters on the ids' device
     * @return (B, S, V), in the weights' type and the ids' manager
     * @throws IllegalArgumentException if ids are not an int64 matrix, or have fewer columns
     */
    public NDArray lastLogits(
            NDArray ids,
            Positions positions,
            AttentionMask mask,
            long count,
            ParameterStore parameters) {
        check(ids, positions);
        long length = ids.getShape().get(1);
        if (count < 1 || count > length) {
            throw new IllegalArgumentException(
                    "of "
                            + length
                            + " positions the last 1 to "
                            + length
                            + " have scores, got "
                            + count);
        }
        try (Autograd.Scope off = Autograd.off();
                NDScope temporaries = new NDScope()) {
            NDArray x = run(ids, positions, mask, null, parameters, false, null);
            NDArray scores = head(x.get(columns(length - count, length)), parameters, false);
            NDScope.unregister(scores);
            return scores;
        }
    }

    /**
     * Computes how unlikely labels are at the last S positions of each row. The scores of a long
     * context over a large vocabulary never exist at once, and no gradients flow.
     *
     * @param ids (B, T), int64, in [0, V)
     * @param positions (T) or (B, T)
     * @param mask which tokens may be seen; a decoder adds its causal rule
     * @param labels (B, S), int64, S at most T: in [0, V), or {@link CrossEntropy#IGNORED}
     * @param parameters gives the parameters on the ids' device
     * @return (B, S), float32 at least: −log p of each label in nats, 0 where it is ignored
     * @throws IllegalArgumentException if ids are not an int64 matrix, or labels do not fit
     */
    public NDArray losses(
            NDArray ids,
            Positions positions,
            AttentionMask mask,
            NDArray labels,
            ParameterStore parameters) {
        check(ids, positions);
        long batch = ids.getShape().get(0);
        long length = ids.getShape().get(1);
        Shape s = labels.getShape();
        if (s.dimension() != 2 || s.get(0) != batch || s.get(1) > length || s.size() == 0) {
            throw new IllegalArgumentException(
                    "labels of " + ids.getShape() + " ids must be (B, at most T), got " + s);
        }
        long first = length - s.get(1);
        long width = Math.max(1, SCORES / (batch * config.vocabulary()));
        try (Autograd.Scope off = Autograd.off();
                NDScope temporaries = new NDScope()) {
            NDArray x = run(ids, positions, mask, null, parameters, false, null);
            NDList parts = new NDList();
            for (long from = 0; from < s.get(1); from += width) {
                long to = Math.min(s.get(1), from + width);
                try (NDScope slice = new NDScope()) {
                    NDArray part = x.get(columns(first + from, first + to));
                    NDArray scores = head(part, parameters, false).reshape(-1, config.vocabulary());
                    NDArray wide =
                            scores.getDataType() == DataType.FLOAT16
                                    ? Cast.to(scores, DataType.FLOAT32, false)
                                    : scores;
                    NDArray y = labels.get(columns(from, to)).flatten();
                    NDArray loss = CrossEntropy.each(wide, y, false).reshape(batch, to - from);
                    NDScope.unregister(loss);
                    parts.add(loss);
                }
            }
            parts.forEach(NDScope::register);
            NDArray all = NDArrays.concat(parts, 1);
            NDScope.unregister(all);
            return all;
        }
    }

    private static NDIndex columns(long from, long to) {
        return new NDIndex().addAllDim().addSliceDim(from, to);
    }

    /**
     * Computes the residual stream before the first and after each layer, before the last norm.
     *
     * @param ids (B, T), int64, in [0, V)
     * @param positions (T) or (B, T)
     * @param mask which tokens may be seen; a decoder adds its causal rule
     * @param parameters gives the parameters on the ids' device
     * @param training whether gradients flow and dropout acts
     * @return N + 1 arrays (B, T, E): after the embed seam, after layer 0, …, after layer N − 1
     * @throws IllegalArgumentException if ids are not an int64 matrix
     */
    public List<NDArray> hidden(
            NDArray ids,
            Positions positions,
            AttentionMask mask,
            ParameterStore parameters,
            boolean training) {
        List<NDArray> kept = new ArrayList<>();
        run(ids, positions, mask, null, parameters, training, kept);
        return kept;
    }

    /**
     * Computes the weights with which each layer's tokens attend to each other, to be looked at.
     *
     * @param ids (B, T), int64, in [0, V)
     * @param positions (T) or (B, T)
     * @param mask which tokens may be seen; a decoder adds its causal rule
     * @param parameters gives the parameters on the ids' device
     * @return N arrays (B, H, T, T), rows adding up to 1
     * @throws IllegalArgumentException if ids are not an int64 matrix
     */
    public List<NDArray> attentionWeights(
            NDArray ids, Positions positions, AttentionMask mask, ParameterStore parameters) {
        List<NDArray> hidden = hidden(ids, positions, mask, parameters, false);
        List<NDArray> weights = new ArrayList<>();
        for (int i = 0; i < layers.size(); i++) {
            weights.add(
                    layers.get(i)
                            .attentionWeights(
                                    hidden.get(i), positions, encoding, mask, parameters));
        }
        hidden.forEach(NDArray::close);
        return weights;
    }

    private NDArray run(
            NDArray ids,
            Positions positions,
            AttentionMask mask,
            KeyValueCache.Pass cached,
            ParameterStore parameters,
            boolean training,
            List<NDArray> kept) {
        check(ids, positions);
        mirror(ids, parameters, training);
        NDArray x = embedded(ids, positions, parameters, training);
        if (kept != null) {
            kept.add(x);
        } else if (training && Recomputation.layers() > 0) {
            return recomputed(x, positions, mask, parameters);
        }
        for (TransformerLayer layer : layers) {
            NDArray y = layer.forward(x, positions, encoding, mask, cached, parameters, training);
            if (kept == null) {
                x.close();
            } else {
                kept.add(y);
            }
            x = y;
        }
        return x;
    }

    /** Runs the layers in segments that backward computes again. */
    private NDArray recomputed(
            NDArray x, Positions positions, AttentionMask mask, ParameterStore parameters) {
        boolean learned = trained(encoding);
        int length = Recomputation.layers();
        NDArray y = x;
        for (int from = 0; from < layers.size(); from += length) {
            int to = Math.min(from + length, layers.size());
            List<TransformerLayer> segment = layers.subList(from, to);
            NDArray input = y;
            y =
                    Recomputation.segment(
                            input,
                            learned || segment.stream().anyMatch(Transformer::trained),
                            dropsInLayers(),
                            (z, memory) -> {
                                Positions own = learned ? positions.again(memory) : positions;
                                NDArray out = z;
                                for (TransformerLayer layer : segment) {
                                    out =
                                            layer.forward(
                                                    out,
                                                    own,
                                                    encoding,
                                                    mask,
                                                    null,
                                                    parameters,
                                                    true);
                                }
                                return out;
                            });
            if (!input.hasGradient()) {
                input.close(); // else backward comes back to it
            }
        }
        return y;
    }

    private static boolean trained(Block block) {
        return block.getParameters().values().stream().anyMatch(Parameter::requiresGradient);
    }

    private boolean dropsInLayers() {
        return config.residualDropout() > 0
                || config.attentionDropout() > 0
                || lora().filter(lora -> lora.dropout() > 0).isPresent();
    }

    private NDArray embedded(
            NDArray ids, Positions positions, ParameterStore parameters, boolean training) {
        NDArray x;
        try (NDScope temporaries = new NDScope()) {
            NDArray table = parameters.getValue(tokens, ids.getDevice(), training);
            NDArray e = Embedding.embedding(ids, table, SparseFormat.DENSE).head(); // (B, T, E)
            if (config.embeddingScale() != 1) {
                e = Scalars.mul(e, config.embeddingScale());
            }
            NDArray placed = encoding.embed(e, positions, parameters, training);
            x = TransformerLayer.drop(placed, config.embeddingDropout(), training);
            NDScope.unregister(x);
        }
        NDScope.register(x); // with the scope of the caller, if he has one
        return x;
    }

    private NDArray head(NDArray x, ParameterStore parameters, boolean training) {
        NDArray normed = norm.forward(parameters, new NDList(x), training).head();
        if (output != null) {
            return output.map(normed, parameters, training);
        }
        NDArray table = parameters.getValue(tokens, x.getDevice(), training);
        return new LinearMap(table, null, null).apply(normed, training); // (B, T, V)
    }

    /**
     * Lets the store make its copies on this device now, if it makes any: a copy made inside a
     * layer would be freed with the layer's temporaries.
     */
    private void mirror(NDArray ids, ParameterStore parameters, boolean training) {
        if (parameters.getValue(tokens, ids.getDevice(), training) == tokens.getArray()) {
            return; // all parameters are beside this one
        }
        for (Parameter parameter : getParameters().values()) {
            parameters.getValue(parameter, ids.getDevice(), training);
        }
    }

    private static void check(NDArray ids, Positions positions) {
        Shape s = ids.getShape();
        if (s.dimension() != 2 || ids.getDataType() != DataType.INT64 || s.size() == 0) {
            throw new IllegalArgumentException(
                    "token ids must be int64 (B, T) and not empty, got "
                            + ids.getDataType()
                            + " "
                            + s);
        }
        positions.checkFit(s.get(0), s.get(1));
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        NDArray ids = inputs.head();
        Positions positions =
                inputs.size() > 1
                        ? Positions.of(inputs.get(1))
                        : Positions.range(ids.getManager(), 0, ids.getShape().get(1));
        AttentionMask mask =
                inputs.size() > 2 ? AttentionMask.documents(inputs.get(2)) : AttentionMask.none();
        return new NDList(logits(ids, positions, mask, parameters, training));
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        return new Shape[] {inputShapes[0].add(config.vocabulary())};
    }

    /** {@inheritDoc} */
    @Override
    public void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        Shape x = new Shape(1, 1, config.embeddingSize());
        encoding.initialize(manager, type, x, new Shape(1));
        for (TransformerLayer layer : layers) {
            layer.initialize(manager, type, x);
        }
        norm.initialize(manager, type, x);
        if (output != null) {
            output.initialize(manager, type, x);
        }
    }

    /** {@inheritDoc} */
    @Override
    protected String identity() {
        return config.architecture();
    }
}
