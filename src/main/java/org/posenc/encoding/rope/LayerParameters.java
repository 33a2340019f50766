package org.posenc.encoding.rope;

import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.initializer.Initializer;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.posenc.encoding.LayerContext;

/** What an encoding learns: one array that all layers share, or one for each layer. */
final class LayerParameters {

    private final List<Parameter> parameters;

    /**
     * Makes the parameters.
     *
     * @param name the one that is shared; "name0", "name1", … where each layer has its own
     * @param shape of each
     * @param layers how many layers have their own; 1 where all share one
     * @param initializer by the parameter's name
     */
    LayerParameters(
            String name, Shape shape, int layers, Function<String, Initializer> initializer) {
        ScalingArguments.length(1, layers, "the number of layers");
        parameters =
                IntStream.range(0, layers)
                        .mapToObj(layer -> layers == 1 ? name : name + layer)
                        .map(
                                own ->
                                        Parameter.builder()
                                                .setName(own)
                                                .setType(Parameter.Type.OTHER)
                                                .optShape(shape)
                                                .optInitializer(initializer.apply(own))
                                                .build())
                        .toList();
    }

    List<Parameter> all() {
        return parameters;
    }

    /** The index of a layer's own parameter. */
    int index(LayerContext context) {
        int layers = parameters.size();
        if (layers > 1 && context.layer() >= layers) {
            throw new IllegalArgumentException(
                    "this encoding is made for "
                            + layers
                            + " layers, got layer "
                            + context.layer());
        }
        return layers == 1 ? 0 : context.layer();
    }

    /** A layer's own parameter. */
    Parameter of(LayerContext context) {
        return parameters.get(index(context));
    }
}
