package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The parts of a kernel's text that depend on which {@link LinearMap linear maps} it has in it,
 * with the arrays of these maps, in the thread's {@link Precision}.
 */
final class KernelText {

    private final NDArray x;
    private final boolean training;
    private final boolean narrows;
    private final boolean vector;
    private final Map<String, Object> constants;
    private final List<NDArray> weights = new ArrayList<>();

    /** The text of a kernel that takes x (…, I) and makes (…, O) of it. */
    KernelText(NDArray x, boolean training) {
        this.x = x;
        this.training = training;
        narrows = Precision.current().narrows(x.getDataType());
        vector = isVector(x);
        constants = new HashMap<>(Precision.current().types(x.getDataType()));
        String h = cast("x", "compute");
        constants.put("h", vector ? "torch.reshape(" + h + ", [-1])" : h);
    }

    /**
     * Whether x is one vector, whose product with a matrix libtorch takes in less time than that of
     * a matrix of one row; not so in float16.
     */
    static boolean isVector(NDArray x) {
        DataType type = x.getDataType();
        boolean half =
                type == DataType.FLOAT16
                        || Precision.current() == Precision.FLOAT16 && type == DataType.FLOAT32;
        Shape shape = x.getShape();
        return !half && shape.size() == shape.get(shape.dimension() - 1);
    }

    /** Sets what replaces {@code ${key}} in the text. */
    void put(String key, String expression) {
        constants.put(key, expression);
    }

    /** Returns the expression of what a map makes of a variable, which has the type of products. */
    String linear(String x, LinearMap map) {
        String y = linear(x, map.weight(), map.bias());
        LinearMap.Pair pair = map.pair();
        if (pair == null) {
            return y;
        }
        double dropout = training ? pair.dropout() : 0;
        String seen = dropout == 0 ? x : "torch.dropout(" + x + ", " + dropout + ", True)";
        String low = linear(linear(seen, pair.down(), null), pair.up(), null);
        return "torch.add(" + y + ", " + low + ", alpha=" + pair.scale() + ")";
    }

    private String linear(String z, NDArray weight, NDArray bias) {
        String w = argument(weight);
        String b = bias == null ? "None" : argument(bias);
        if (!vector) {
            return "torch.linear(" + z + ", " + w + ", " + b + ")";
        }
        String product = w + ", " + z + ")";
        return bias == null ? "torch.mv(" + product : "torch.addmv(" + b + ", " + product;
    }

    /** An array's name in the text, cast where products are of another type. */
    private String argument(NDArray array) {
        String name = "w" + weights.size();
        weights.add(array);
        return cast(name, "compute");
    }

    private String cast(String name, String type) {
        return narrows ? "torch.to(" + name + ", " + constants.get(type) + ")" : name;
    }

    /** Calls the kernel of a name, which makes the last expression of x. */
    NDArray call(String name, String last) {
        String y = cast(last, "type");
        constants.put("y", vector ? "torch.reshape(" + y + ", " + ones() + ")" : y);
        StringBuilder arguments = new StringBuilder();
        for (int i = 0; i < weights.size(); i++) {
            arguments.append(", w").append(i).append(": Tensor");
        }
        constants.put("weights", arguments.toString());
        NDArray[] all = new NDArray[1 + weights.size()];
        all[0] = x;
        for (int i = 0; i < weights.size(); i++) {
            all[1 + i] = training ? weights.get(i) : Precision.kept(weights.get(i));
        }
        return TorchScript.load(name, constants).call(training, all);
    }

    /** The shape of a vector with as many axes as x. */
    private String ones() {
        return "[" + "1, ".repeat(x.getShape().dimension() - 1) + "-1]";
    }
}
