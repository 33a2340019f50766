package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The parts of a kernel's text that depend on which {@link LinearMap linear maps} it has in it,
 * with the arrays of these maps, in the thread's {@link Precision}.
 */
final class KernelText {

    private final DataType type;
    private final boolean training;
    private final Map<String, Object> constants;
    private final List<NDArray> weights = new ArrayList<>();

    KernelText(DataType type, boolean training) {
        this.type = type;
        this.training = training;
        constants = new HashMap<>(Precision.current().types(type));
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

    private String linear(String x, NDArray weight, NDArray bias) {
        String b = bias == null ? "None" : argument(bias);
        return "torch.linear(" + x + ", " + argument(weight) + ", " + b + ")";
    }

    /** An array's name in the text, cast where products are of another type. */
    private String argument(NDArray array) {
        String name = "w" + weights.size();
        weights.add(array);
        return Precision.current().narrows(type)
                ? "torch.to(" + name + ", " + constants.get("compute") + ")"
                : name;
    }

    /** Calls the kernel of a name, whose first argument is x. */
    NDArray call(String name, NDArray x) {
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
}
