package org.posenc.signal;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.ParameterList;
import ai.djl.nn.core.Linear;
import ai.djl.util.Pair;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
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

    /** Features of an axis whose weights are taken to their basis; 256 MB for a moment. */
    private static final int LARGEST_BASIS = 2048;

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
        if (network.features() instanceof Kronecker product && suits(product)) {
            Parameter weight = network.complexMap().getParameters().get("weight");
            basisOf = name(network, weight);
            int channels = plan.depth() == 0 ? plan.outputs() : 0;
            basis = new WeightBasis(product.axes(), channels, manager.newSubManager(Device.cpu()));
        } else {
            basisOf = "";
            basis = null;
        }
    }

    /** Whether features are fixed, and few enough that their Gram matrix costs little. */
    private static boolean suits(Kronecker product) {
        return product.getParameters().isEmpty()
                && product.axes().stream().allMatch(a -> a.featureDimension() <= LARGEST_BASIS);
    }

    /** Whether the weights are the signal itself in another basis. */
    boolean areCoefficientsOfSignal() {
        return basis != null && plan.depth() == 0;
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
     * One parameter of all networks, as it is rounded.
     *
     * @param name what it is in a network
     * @param shape its sides there
     * @param values of network after network, those of a complex map's weights in their basis
     * @param unit r_t √(n_t / max n)
     */
    private record Tensor(String name, int[] shape, double[] values, double unit) {

        double step(double s) {
            return CodedTensor.allowed(values, s * unit);
        }

        int[] fullShape() {
            return inFront(values.length / (int) CodedTensor.count(shape), shape);
        }
    }

    /** The parameters of networks, ready to be rounded more or less. */
    final class Numbers {

        private final List<Tensor> tensors;
        private final int count;

        /**
         * Takes the parameters of networks.
         *
         * @param networks at least one, of this plan
         */
        Numbers(List<CoordinateMlp> networks) {
            count = networks.size();
            tensors = new ArrayList<>();
            ParameterList first = networks.get(0).getParameters();
            long most = first.values().stream().mapToLong(p -> p.getArray().size()).max().orElse(1);
            for (int t = 0; t < first.size(); t++) {
                int[] shape = shape(first.valueAt(t).getArray().getShape());
                double[] values = new double[count * (int) CodedTensor.count(shape)];
                for (int i = 0; i < count; i++) {
                    double[] own = doubles(networks.get(i).getParameters().valueAt(t).getArray());
                    if (first.keyAt(t).equals(basisOf)) {
                        own = basis.coefficients(own);
                    }
                    System.arraycopy(own, 0, values, i * own.length, own.length);
                }
                double square = Arrays.stream(values).map(v -> v * v).average().orElse(0);
                double unit = Math.sqrt(square * (values.length / count) / most);
                tensors.add(new Tensor(first.keyAt(t), shape, values, unit));
            }
        }

        private Numbers(List<Tensor> tensors, int count) {
            this.tensors = tensors;
            this.count = count;
        }

        /** Returns the parameters of some of the networks. */
        Numbers of(int... which) {
            List<Tensor> fewer = new ArrayList<>();
            for (Tensor t : tensors) {
                int each = t.values.length / count;
                double[] values = new double[which.length * each];
                for (int i = 0; i < which.length; i++) {
                    System.arraycopy(t.values, which[i] * each, values, i * each, each);
                }
                fewer.add(new Tensor(t.name, t.shape, values, t.unit));
            }
            return new Numbers(fewer, which.length);
        }

        /**
         * Returns the networks whose numbers were rounded.
         *
         * @param s the step, in the tensors' units
         * @param zero how much less the coefficients of a signal count
         */
        List<CoordinateMlp> rounded(double s, double zero) {
            List<double[]> values = new ArrayList<>();
            for (Tensor t : tensors) {
                double step = t.step(s);
                values.add(
                        IntStream.of(multiples(t, step, zero))
                                .mapToDouble(q -> q * step)
                                .toArray());
            }
            return networks(count, values, true);
        }

        /** Codes the rounded numbers. */
        List<CodedTensor> coded(double s, double zero) {
            List<CodedTensor> coded = new ArrayList<>();
            for (Tensor t : tensors) {
                double step = t.step(s);
                int[] multiples = multiples(t, step, zero);
                coded.add(CodedTensor.rounded(t.name, t.fullShape(), multiples, step));
            }
            return coded;
        }

        private int[] multiples(Tensor t, double step, double zero) {
            boolean signal = areCoefficientsOfSignal() && t.name.equals(basisOf);
            return CodedTensor.multiples(t.values, step, signal ? zero : 0);
        }
    }

    /** Keeps the parameters of networks as float32. */
    static List<CodedTensor> exact(List<CoordinateMlp> networks) {
        List<CodedTensor> exact = new ArrayList<>();
        ParameterList first = networks.get(0).getParameters();
        for (int t = 0; t < first.size(); t++) {
            int[] shape = shape(first.valueAt(t).getArray().getShape());
            int each = (int) CodedTensor.count(shape);
            double[] values = new double[networks.size() * each];
            for (int i = 0; i < networks.size(); i++) {
                NDArray own = networks.get(i).getParameters().valueAt(t).getArray();
                System.arraycopy(doubles(own), 0, values, i * each, each);
            }
            int[] full = inFront(networks.size(), shape);
            exact.add(CodedTensor.exact(first.keyAt(t), full, values));
        }
        return exact;
    }

    private static double[] doubles(NDArray array) {
        try (NDArray copy = array.duplicate();
                NDArray wide = Cast.to(copy, DataType.FLOAT64, false)) {
            return wide.toDoubleArray();
        }
    }

    private static int[] inFront(int count, int[] shape) {
        return IntStream.concat(IntStream.of(count), IntStream.of(shape)).toArray();
    }

    private static int[] shape(Shape shape) {
        return Arrays.stream(shape.getShape()).mapToInt(Math::toIntExact).toArray();
    }

    /**
     * Makes the networks of coded parameters.
     *
     * @param tensors their parameters, each of all networks, as {@link #check} has found them right
     * @param count how many networks there are
     * @return networks whose arrays belong to the parent of this object's manager
     * @throws IllegalArgumentException if a code is damaged
     */
    List<CoordinateMlp> networks(List<CodedTensor> tensors, int count) {
        boolean rounded = tensors.stream().allMatch(t -> t.step() > 0);
        return networks(count, tensors.stream().map(CodedTensor::values).toList(), rounded);
    }

    /** Makes networks of numbers, those of the first map in their basis or as they are. */
    private List<CoordinateMlp> networks(int count, List<double[]> values, boolean inBasis) {
        List<CoordinateMlp> networks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            CoordinateMlp network = plan.network(0);
            List<Shape> shapes = shapes(plan, network);
            for (int t = 0; t < values.size(); t++) {
                int each = values.get(t).length / count;
                double[] own = Arrays.copyOfRange(values.get(t), i * each, (i + 1) * each);
                if (inBasis && network.getParameters().keyAt(t).equals(basisOf)) {
                    own = basis.weights(own);
                }
                set(network.getParameters().valueAt(t), own, shapes.get(t));
            }
            networks.add(network);
        }
        return networks;
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

    /**
     * Refuses tensors that are not those of a plan, before anything large is allocated.
     *
     * @param plan what the networks are
     * @param tensors what there is for them
     * @param count how many networks there are to be
     * @throws IllegalArgumentException if they are others
     */
    static void check(NetworkPlan plan, List<CodedTensor> tensors, int count) {
        checkSizes(plan, tensors);
        CoordinateMlp network = plan.network(0);
        List<Shape> shapes = shapes(plan, network);
        List<String> wanted = new ArrayList<>();
        for (int t = 0; t < shapes.size(); t++) {
            int[] full = inFront(count, shape(shapes.get(t)));
            wanted.add(network.getParameters().keyAt(t) + " " + Arrays.toString(full));
        }
        List<String> found =
                tensors.stream().map(t -> t.name() + " " + Arrays.toString(t.shape())).toList();
        if (!found.equals(wanted)) {
            throw new IllegalArgumentException(
                    "its tensors " + found + " are not those of the network, " + wanted);
        }
    }

    /** Refuses plans whose blocks would be larger than the numbers that there are for them. */
    private static void checkSizes(NetworkPlan plan, List<CodedTensor> tensors) {
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
    private static List<Shape> shapes(NetworkPlan plan, CoordinateMlp network) {
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
