package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import java.util.List;
import java.util.Map;

/**
 * One step of Adam (<a href="https://arxiv.org/abs/1412.6980">Kingma and Ba 2014</a>) or AdamW (<a
 * href="https://arxiv.org/abs/1711.05101">Loshchilov and Hutter 2017</a>) on many arrays in one
 * native call, with PyTorch's own fused kernel.
 *
 * <p>With gradient g, step t ≥ 1, rate α and decay λ:
 *
 * <p>decoupled: w ← w − α λ w; coupled: g ← g + λ w; then m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 −
 * β₂) g², w ← w − α · m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε).
 *
 * @param beta1 β₁, in [0, 1)
 * @param beta2 β₂, in [0, 1)
 * @param epsilon ε, at least 0
 * @param decoupled whether decay acts on the weight (AdamW) rather than through the gradient
 */
public record AdamStep(double beta1, double beta2, double epsilon, boolean decoupled) {

    /** Checks the values. */
    public AdamStep {
        checkBeta(beta1, "beta1");
        checkBeta(beta2, "beta2");
        if (!(epsilon >= 0 && epsilon < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    "epsilon must be finite and at least 0, got " + epsilon);
        }
    }

    /**
     * Changes weights and moments in place and zeroes the gradients; no gradient is recorded.
     *
     * @param weights w, all of one type on one device
     * @param gradients g of each weight
     * @param means m of each weight, zeros before the first step
     * @param squares v of each weight, zeros before the first step
     * @param step t, counted from 1
     * @param rate α
     * @param decay λ
     */
    public void apply(
            List<NDArray> weights,
            List<NDArray> gradients,
            List<NDArray> means,
            List<NDArray> squares,
            int step,
            double rate,
            double decay) {
        Map<String, Object> constants =
                Map.of(
                        "operation",
                        decoupled ? "_fused_adamw_" : "_fused_adam_",
                        "beta1",
                        beta1,
                        "beta2",
                        beta2,
                        "epsilon",
                        epsilon);
        TorchScript.load("adam", constants)
                .change(List.of(weights, gradients, means, squares), step, rate, decay)
                .close();
    }

    private static void checkBeta(double value, String name) {
        if (!(value >= 0 && value < 1)) {
            throw new IllegalArgumentException(name + " must be in [0, 1), got " + value);
        }
    }
}
