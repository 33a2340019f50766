package org.posenc.attention;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Optional;
import org.posenc.encoding.SeededInitializer;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.LinearMap;
import org.posenc.kernel.Scalars;

/**
 * A linear map of a Transformer, y = x Wᵀ + b, to which a {@link Lora} pair may be attached: y = x
 * Wᵀ + b + s · dropout(x) Aᵀ Bᵀ.
 *
 * <p>It is DJL's Linear in its parameters {@code weight} and {@code bias} and in what is saved. A
 * pair adds the parameters {@code loraA} (r, I) and {@code loraB} (O, r) until it is merged or
 * detached; a model with pairs is not saved as a whole.
 */
public final class Projection extends Linear {

    private static final String WEIGHT = "weight";
    private static final String BIAS = "bias";
    private static final String DOWN = "loraA";
    private static final String UP = "loraB";

    private Lora lora; // null where there is no pair

    /**
     * A map with fresh weights.
     *
     * @param units O, the size of y
     * @param bias whether there is b
     */
    public Projection(long units, boolean bias) {
        super(Linear.builder().setUnits(units).optBias(bias));
    }

    /**
     * Takes over a map of DJL with its parameters, which both then share.
     *
     * @param stock an initialised or loaded map
     * @return a new block
     */
    static Projection sharing(Linear stock) {
        Shape weight = stock.getDirectParameters().get(WEIGHT).getArray().getShape();
        boolean bias = stock.getDirectParameters().contains(BIAS);
        Projection projection = new Projection(weight.get(0), bias);
        stock.getDirectParameters()
                .forEach(entry -> projection.parameters.put(entry.getKey(), entry.getValue()));
        return projection;
    }

    /**
     * Maps.
     *
     * @param x (…, I)
     * @param parameters gives the parameters on x's device
     * @param training whether gradients flow and dropout acts
     * @return y: (…, O), in x's manager
     */
    public NDArray map(NDArray x, ParameterStore parameters, boolean training) {
        return linear(x.getDevice(), parameters, training).apply(x, training);
    }

    /**
     * Returns the map as kernels take it.
     *
     * @param device where it is to be
     * @param parameters gives the parameters on this device
     * @param training whether gradients are to flow
     * @return the map, of arrays that the parameters own
     */
    public LinearMap linear(Device device, ParameterStore parameters, boolean training) {
        NDArray weight = parameters.getValue(parameter(WEIGHT), device, training);
        NDArray bias = parameters.getValue(parameter(BIAS), device, training);
        LinearMap.Pair pair =
                lora == null
                        ? null
                        : new LinearMap.Pair(
                                parameters.getValue(parameter(DOWN), device, training),
                                parameters.getValue(parameter(UP), device, training),
                                lora.scale(),
                                lora.dropout());
        return new LinearMap(weight, bias, pair);
    }

    private Parameter parameter(String name) {
        return parameters.get(name);
    }

    /**
     * Attaches a pair, with B = 0.
     *
     * @param adaptation rank, scale and dropout
     * @param down A: (r, I), an initialised parameter that others may share; {@link #down} makes it
     * @throws IllegalArgumentException if there is a pair already, or no weight yet
     */
    public void attach(Lora adaptation, Parameter down) {
        requireFree();
        NDArray weight = parameter(WEIGHT).getArray();
        Parameter up =
                Parameter.builder()
                        .setName(UP)
                        .setType(Parameter.Type.WEIGHT)
                        .optShape(new Shape(weight.getShape().get(0), adaptation.rank()))
                        .optInitializer((manager, shape, type) -> manager.zeros(shape, type))
                        .build();
        initialize(up, weight);
        parameters.put(DOWN, down);
        parameters.put(UP, up);
        lora = adaptation;
    }

    /**
     * Makes the A of a pair for this map, and for others that read the same input.
     *
     * @param adaptation the rank and the seed
     * @param name what its first values depend on beside the seed
     * @return A: (r, I), uniform in ±1/√I, beside the weight and in its type
     * @throws IllegalArgumentException if there is a pair already, or no weight yet
     */
    public Parameter down(Lora adaptation, String name) {
        requireFree();
        NDArray weight = parameter(WEIGHT).getArray();
        long inputs = weight.getShape().get(1);
        // Kaiming's uniform numbers of slope √5, as PyTorch's Linear starts.
        double bound = 1 / Math.sqrt(inputs);
        Parameter down =
                Parameter.builder()
                        .setName(DOWN)
                        .setType(Parameter.Type.WEIGHT)
                        .optShape(new Shape(adaptation.rank(), inputs))
                        .optInitializer(SeededInitializer.uniform(bound, adaptation.seed(), name))
                        .build();
        initialize(down, weight);
        return down;
    }

    private void requireFree() {
        if (!parameter(WEIGHT).isInitialized()) {
            throw new IllegalArgumentException("initialise or load a model before it is adapted");
        }
        if (lora != null) {
            throw new IllegalArgumentException(
                    "a projection takes one LoRA pair; merge or detach the one it has");
        }
    }

    private static void initialize(Parameter parameter, NDArray weight) {
        parameter.initialize(weight.getManager(), weight.getDataType());
        NDScope.unregister(parameter.getArray());
    }

    /**
     * Returns what the attached pair is.
     *
     * @return empty where there is none
     */
    public Optional<Lora> lora() {
        return Optional.ofNullable(lora);
    }

    /** Adds the pair to the weight, W ← W + s B A, and sets B to 0: the map stays what it is. */
    public void merge() {
        if (lora == null) {
            return;
        }
        try (Autograd.Scope off = Autograd.off();
                NDScope temporaries = new NDScope()) {
            NDArray up = parameter(UP).getArray().stopGradient();
            NDArray product = up.matMul(parameter(DOWN).getArray());
            NDArray weight = parameter(WEIGHT).getArray().stopGradient();
            weight.addi(Scalars.mul(product, lora.scale()));
            up.subi(up);
        }
    }

    /** Takes the pair away and frees it; an A that others share is then theirs no more. */
    public void detach() {
        if (lora != null) {
            lora = null;
            parameters.remove(DOWN).close();
            parameters.remove(UP).close();
        }
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameters,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        return new NDList(map(inputs.singletonOrThrow(), parameters, training));
    }

    /** {@inheritDoc} */
    @Override
    public void saveParameters(DataOutputStream os) throws IOException {
        if (lora != null) {
            throw new IllegalArgumentException(
                    "merge or detach the LoRA pairs before the model is saved, or save the pairs"
                            + " alone as an adapter folder");
        }
        super.saveParameters(os);
    }
}
