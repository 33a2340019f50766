package org.posenc.signal;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.util.Pair;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.posenc.encoding.Kronecker;
import org.posenc.kernel.Cast;
import org.posenc.model.CoordinateMlp;

/**
 * Turns the parameters of networks of one plan into coded tensors and back.
 *
 * <p>Of the tensors of a network, the one with n_t numbers of root mean square r_t is rounded to
 * multiples of Δ_t = s r_t √(n_t / max n). Relative errors add up from layer to layer; for a given
 * sum of their squares the fewest bits are spent if each tensor's share is in proportion to its
 * numbers, because a tensor of many numbers saves more by being coarse. s is one for all.
 */
final class NetworkCode implements AutoCloseable {

    /** Features that any file may ask for; more must be as many as it has numbers. */
    private static final int SMALL = 1 << 16;

    private final NetworkPlan plan;
    private final NDManager manager;
    private final WeightBasis basis; // of the first map's weights, or null
    private final String basisOf; // the name of these weights

    /**
     * Prepares for networks of a plan.
     *
     * @param plan what they are
     * @param parent on the device of the networks
     */
    NetworkCode(NetworkPlan plan, NDManager parent) {
        this.plan = plan;
        manager = parent.newSubManager();
        CoordinateMlp network = plan.network(0);
        boolean fixed = network.features().getParameters().isEmpty();
        if (network.features() instanceof Kronecker product && fixed) {
            Parameter weight = network.complexMap().getParameters().get("weight");
            basisOf = name(network, weight);
            int channels = plan.depth() == 0 ? plan.outputs() : 0;
            basis = new WeightBasis(product.axes(), channels, manager.newSubManager(Device.cpu()));
        } else {
            basisOf = "";
            basis = null;
        }
    }

    private static String name(CoordinateMlp network, Parameter wanted) {
        for (Pair<String, Parameter> p : network.getParameters()) {
            if (p.getValue() == wanted) {
                return p.getKey();
            }
        }
        throw new IllegalStateException("the network does not have the parameter " + wanted);
    }

    /**
     * The numbers of a tensor as they are rounded.
     *
     * @param name what it is in its network
     * @param shape its sides
     * @param values the numbers, those of a complex map's weights in their basis
     * @param unit r_t √(n_t / max n)
     */
    private record Tensor(String name, int[] shape, double[] values, double unit) {}

    /** The parameters of a network, ready to be rounded more or less. */
    final class Numbers {

        private final List<Tensor> tensors = new ArrayList<>();
        private final List<CodedTensor> exact = new ArrayList<>();

        Numbers(CoordinateMlp network) {
            long most = 1;
            for (Parameter p : network.getParameters().values()) {
                most = Math.max(most, p.getArray().size());
            }
            for (Pair<String, Parameter> p : network.getParameters()) {
                NDArray array = p.getValue().getArray();
                int[] shape = shape(array.getShape());
                double[] values = doubles(array);
                exact.add(CodedTensor.exact(p.getKey(), shape, values));
                if (p.getKey().equals(basisOf)) {
                    values = basis.coefficients(values);
                }
                double square = Arrays.stream(values).map(v -> v * v).average().orElse(0);
                double unit = Math.sqrt(square * values.length / most);
                tensors.add(new Tensor(p.getKey(), shape, values, unit));
            }
        }

        /** Rounds and codes the numbers. */
        List<CodedTensor> rounded(double s) {
            return tensors.stream()
                    .map(t -> CodedTensor.rounded(t.name, t.shape, t.values, s * t.unit))
                    .toList();
        }

        /** Keeps the parameters as float32. */
        List<CodedTensor> exact() {
            return exact;
        }
    }

    private static double[] doubles(NDArray array) {
        try (NDArray copy = array.duplicate();
                NDArray wide = Cast.to(copy, DataType.FLOAT64, false)) {
            return wide.toDoubleArray();
        }
    }

    private static int[] shape(Shape shape) {
        return Arrays.stream(shape.getShape()).mapToInt(Math::toIntExact).toArray();
    }

    /**
     * Makes the network of coded parameters.
     *
     * @param tensors its parameters
     * @return a network whose arrays belong to the parent of this object's manager
     * @throws IllegalArgumentException if the tensors are not those of the plan; nothing large is
     *     allocated before their shapes are known to fit
     */
    CoordinateMlp network(List<CodedTensor> tensors) {
        checkSizes(plan, tensors);
        CoordinateMlp network = plan.network(0);
        List<Pair<String, Parameter>> parameters = new ArrayList<>();
        network.getParameters().forEach(parameters::add);
        List<Shape> shapes = shapes(network);
        for (int i = 0; i < Math.max(parameters.size(), tensors.size()); i++) {
            if (tensors.size() != parameters.size()
                    || !tensors.get(i).name().equals(parameters.get(i).getKey())
                    || !Arrays.equals(tensors.get(i).shape(), shape(shapes.get(i)))) {
                throw new IllegalArgumentException(
                        "its tensors "
                                + tensors.stream()
                                        .map(t -> t.name() + " " + Arrays.toString(t.shape()))
                                        .toList()
                                + " are not those of the network");
            }
        }
        for (int i = 0; i < tensors.size(); i++) {
            CodedTensor tensor = tensors.get(i);
            double[] values = tensor.values();
            if (tensor.step() > 0 && tensor.name().equals(basisOf)) {
                values = basis.weights(values);
            }
            set(parameters.get(i).getValue(), values, shapes.get(i));
        }
        return network;
    }

    private void set(Parameter parameter, double[] values, Shape shape) {
        NDManager owner = manager.getParentManager();
        try (NDArray exact = owner.create(values, shape)) {
            NDArray typed = Cast.to(exact, type(), false);
            parameter.setShape(null);
            parameter.setArray(typed == exact ? exact.duplicate() : typed);
        }
    }

    /**
     * The type of the networks: the weights of an ill-conditioned encoding are large numbers whose
     * differences count, and one complex map costs little in float64.
     */
    private DataType type() {
        return plan.complex() && plan.depth() == 0 ? DataType.FLOAT64 : DataType.FLOAT32;
    }

    /** Refuses plans whose blocks would be larger than the numbers that there are for them. */
    static void checkSizes(NetworkPlan plan, List<CodedTensor> tensors) {
        long numbers = tensors.stream().mapToLong(t -> CodedTensor.count(t.shape())).sum();
        long most = Math.max(SMALL, numbers);
        boolean fits = plan.depth() < tensors.size() && plan.width() <= most;
        for (ChosenEncoding encoding : plan.encodings()) {
            fits &= encoding.space().featureDimension() <= most;
            fits &= encoding.space().positionDimension() <= plan.axes();
        }
        if (!fits) {
            throw new IllegalArgumentException(
                    "its network is larger than the " + numbers + " numbers that it has for it");
        }
    }

    /** The shapes of a network's parameters, none of which is allocated. */
    private List<Shape> shapes(CoordinateMlp network) {
        List<Shape> shapes = new ArrayList<>();
        int maps = 0;
        for (Block child : network.getChildren().values()) {
            if (child instanceof Linear) {
                boolean first = maps == 0 && !plan.complex();
                int fanIn = first ? network.features().featureDimension() : plan.width();
                int units = plan.complex() ? maps + 1 : maps;
                units = units < plan.depth() ? plan.width() : plan.outputs();
                shapes.add(new Shape(units, fanIn));
                shapes.add(new Shape(units));
                maps++;
            } else {
                child.getParameters().values().forEach(p -> shapes.add(p.getShape()));
            }
        }
        return shapes;
    }

    /** Frees the basis. */
    @Override
    public void close() {
        manager.close();
    }
}
