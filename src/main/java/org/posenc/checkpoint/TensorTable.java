package org.posenc.checkpoint;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.posenc.model.TransformerConfig;

/**
 * Which tensors of a Hugging Face folder hold which parameters of a Transformer; {@code #} stands
 * for a layer's number. A row speaks of weights, and of biases where the model has them.
 *
 * @param rows one for each tensor that a layer has, and for each outside the layers
 */
record TensorTable(List<Row> rows) {

    /** Llama, and all who took over its names. */
    static final TensorTable LLAMA =
            new TensorTable(
                    List.of(
                            row("model.embed_tokens", "tokens"),
                            row("model.layers.#.input_layernorm", "layer#.attentionNorm"),
                            row("model.layers.#.self_attn.q_proj", "layer#.attention.query"),
                            row("model.layers.#.self_attn.k_proj", "layer#.attention.key"),
                            row("model.layers.#.self_attn.v_proj", "layer#.attention.value"),
                            row("model.layers.#.self_attn.o_proj", "layer#.attention.output"),
                            row("model.layers.#.self_attn.q_norm", "layer#.attention.queryNorm"),
                            row("model.layers.#.self_attn.k_norm", "layer#.attention.keyNorm"),
                            row(
                                    "model.layers.#.post_attention_layernorm",
                                    "layer#.feedForwardNorm"),
                            row("model.layers.#.mlp.gate_proj", "layer#.feedForward.gate"),
                            row("model.layers.#.mlp.up_proj", "layer#.feedForward.up"),
                            row("model.layers.#.mlp.down_proj", "layer#.feedForward.down"),
                            row("model.norm", "norm"),
                            row("lm_head", "output")));

    /** Phi-3: the maps that read the same input are one tensor, one's rows after the other's. */
    static final TensorTable PHI3 =
            new TensorTable(
                    List.of(
                            row("model.embed_tokens", "tokens"),
                            row("model.layers.#.input_layernorm", "layer#.attentionNorm"),
                            row(
                                    "model.layers.#.self_attn.qkv_proj",
                                    "layer#.attention.query",
                                    "layer#.attention.key",
                                    "layer#.attention.value"),
                            row("model.layers.#.self_attn.o_proj", "layer#.attention.output"),
                            row(
                                    "model.layers.#.post_attention_layernorm",
                                    "layer#.feedForwardNorm"),
                            row(
                                    "model.layers.#.mlp.gate_up_proj",
                                    "layer#.feedForward.gate",
                                    "layer#.feedForward.up"),
                            row("model.layers.#.mlp.down_proj", "layer#.feedForward.down"),
                            row("model.norm", "norm"),
                            row("lm_head", "output")));

    /** GPT-NeoX and Pythia: rows of queries, keys and values take turns, head by head. */
    static final TensorTable GPT_NEOX =
            new TensorTable(
                    List.of(
                            row("gpt_neox.embed_in", "tokens"),
                            row("gpt_neox.layers.#.input_layernorm", "layer#.attentionNorm"),
                            byHead(
                                    "gpt_neox.layers.#.attention.query_key_value",
                                    "layer#.attention.query",
                                    "layer#.attention.key",
                                    "layer#.attention.value"),
                            row("gpt_neox.layers.#.attention.dense", "layer#.attention.output"),
                            row(
                                    "gpt_neox.layers.#.post_attention_layernorm",
                                    "layer#.feedForwardNorm"),
                            row("gpt_neox.layers.#.mlp.dense_h_to_4h", "layer#.feedForward.up"),
                            row("gpt_neox.layers.#.mlp.dense_4h_to_h", "layer#.feedForward.down"),
                            row("gpt_neox.final_layer_norm", "norm"),
                            row("embed_out", "output")));

    /**
     * A row.
     *
     * @param tensor the tensor's name up to its last point
     * @param parts the block, or blocks, whose parameters it holds
     * @param byHead whether their rows take turns head by head
     */
    record Row(String tensor, List<String> parts, boolean byHead) {}

    /**
     * A tensor of a certain model.
     *
     * @param name its name in the folder
     * @param shape its shape
     * @param parameters the parameters it holds
     * @param turns how often their rows take turns; 1 where each is in one piece
     */
    record Tensor(String name, Shape shape, List<String> parameters, int turns) {

        /** Copies the numbers in a folder into parameters. */
        void load(Safetensors folder, String storedName, Map<String, NDArray> arrays) {
            long from = 0;
            for (int turn = 0; turn < turns; turn++) {
                for (String parameter : parameters) {
                    NDArray array = arrays.get(parameter);
                    long count = array.size() / turns;
                    folder.copy(storedName, from, array, turn * count, count);
                    from += count;
                }
            }
        }

        /** Returns the tensor that parameters make. */
        NDArray pack(Map<String, NDArray> arrays) {
            if (parameters.size() == 1) {
                return arrays.get(parameters.get(0));
            }
            NDList pieces = new NDList();
            for (String parameter : parameters) {
                NDArray array = arrays.get(parameter).stopGradient();
                long rows = array.getShape().get(0);
                pieces.add(array.reshape(turns, rows / turns, -1));
            }
            return NDArrays.concat(pieces, 1).reshape(shape);
        }
    }

    /** Returns the tensors of a model, with the parameters they hold. */
    List<Tensor> of(TransformerConfig config) {
        Map<String, Shape> shapes = parameters(config);
        List<Tensor> tensors = new ArrayList<>();
        for (Row row : rows) {
            boolean inLayers = row.tensor.contains("#");
            for (int layer = 0; layer < (inLayers ? config.layers() : 1); layer++) {
                String number = Integer.toString(layer);
                for (String kind : List.of("weight", "bias")) {
                    List<String> held =
                            row.parts.stream()
                                    .map(part -> part.replace("#", number))
                                    .flatMap(part -> parameter(part, kind, shapes))
                                    .toList();
                    if (!held.isEmpty()) {
                        tensors.add(
                                new Tensor(
                                        row.tensor.replace("#", number) + "." + kind,
                                        stacked(held.stream().map(shapes::get).toList()),
                                        held,
                                        row.byHead ? config.heads() : 1));
                    }
                }
            }
        }
        return tensors;
    }

    /** A part's weight or bias, by the name that its block gives it. */
    private static Stream<String> parameter(String part, String kind, Map<String, Shape> shapes) {
        List<String> names =
                kind.equals("weight")
                        ? List.of(part, part + ".weight", part + ".gain", part + ".gamma")
                        : List.of(part + ".bias", part + ".beta");
        return names.stream().filter(shapes::containsKey);
    }

    private static Shape stacked(List<Shape> shapes) {
        long rows = shapes.stream().mapToLong(shape -> shape.get(0)).sum();
        Shape first = shapes.get(0);
        return first.dimension() == 1 ? new Shape(rows) : new Shape(rows, first.get(1));
    }

    /** Returns the parameters that a Transformer has, with their shapes. */
    static Map<String, Shape> parameters(TransformerConfig c) {
        int tokenSize = c.embeddingSize();
        int queries = c.heads() * c.headDimension();
        int keys = c.keyValueHeads() * c.headDimension();
        int inner = c.feedForwardSize();
        Map<String, Shape> shapes = new LinkedHashMap<>();
        shapes.put("tokens", new Shape(c.vocabulary(), tokenSize));
        for (int i = 0; i < c.layers(); i++) {
            String attention = "layer" + i + ".attention";
            String feedForward = "layer" + i + ".feedForward";
            norm(shapes, attention + "Norm", c);
            linear(shapes, attention + ".query", queries, tokenSize, c.attentionBias());
            linear(shapes, attention + ".key", keys, tokenSize, c.attentionBias());
            linear(shapes, attention + ".value", keys, tokenSize, c.attentionBias());
            linear(shapes, attention + ".output", tokenSize, queries, c.attentionOutputBias());
            if (c.queryKeyNorm()) {
                shapes.put(attention + ".queryNorm.gain", new Shape(c.headDimension()));
                shapes.put(attention + ".keyNorm.gain", new Shape(c.headDimension()));
            }
            norm(shapes, feedForward + "Norm", c);
            if (c.activation() == TransformerConfig.Activation.SWIGLU) {
                linear(shapes, feedForward + ".gate", inner, tokenSize, c.feedForwardBias());
            }
            linear(shapes, feedForward + ".up", inner, tokenSize, c.feedForwardBias());
            linear(shapes, feedForward + ".down", tokenSize, inner, c.feedForwardBias());
        }
        norm(shapes, "norm", c);
        if (!c.tiedOutput()) {
            linear(shapes, "output", c.vocabulary(), tokenSize, false);
        }
        return shapes;
    }

    private static void linear(
            Map<String, Shape> shapes, String block, int rows, int columns, boolean bias) {
        shapes.put(block + ".weight", new Shape(rows, columns));
        if (bias) {
            shapes.put(block + ".bias", new Shape(rows));
        }
    }

    private static void norm(Map<String, Shape> shapes, String block, TransformerConfig c) {
        Shape shape = new Shape(c.embeddingSize());
        if (c.norm() == TransformerConfig.Norm.RMS_NORM) {
            shapes.put(block + ".gain", shape);
        } else {
            shapes.put(block + ".gamma", shape);
            shapes.put(block + ".beta", shape);
        }
    }

    private static Row row(String tensor, String... parts) {
        return new Row(tensor, List.of(parts), false);
    }

    private static Row byHead(String tensor, String... parts) {
        return new Row(tensor, List.of(parts), true);
    }
}
