package org.posenc.training;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.GlobalNorm;

/**
 * Clipping by the norm of all gradients taken as one vector (<a
 * href="https://arxiv.org/abs/1211.5063">Pascanu et al. 2013</a>): g ← g · min(1, c / ‖g‖).
 *
 * <p>DJL's own {@code optClipGrad} limits each element from above only and so lets large negative
 * gradients pass.
 *
 * @param maximum c, positive
 */
public record GradientClipping(double maximum) {

    /** Checks the value. */
    public GradientClipping {
        if (!(maximum > 0)) {
            throw new IllegalArgumentException(
                    "the gradient norm's maximum must be positive, got " + maximum);
        }
    }

    /**
     * Scales the gradients in place, between backward and the optimizer's step; the device decides
     * whether to, nothing waits for it.
     *
     * @param parameters initialised parameters on one device; frozen ones and those without a
     *     gradient take no part
     * @return ‖g‖ before, a scalar to be closed, or {@code null} where there is no gradient
     */
    public NDArray apply(Collection<Parameter> parameters) {
        List<NDArray> gradients = new ArrayList<>();
        for (Parameter parameter : parameters) {
            if (parameter.requiresGradient()) {
                NDArray gradient = Autograd.gradient(parameter.getArray());
                if (gradient != null) {
                    gradients.add(gradient);
                }
            }
        }
        NDArray norm = gradients.isEmpty() ? null : GlobalNorm.limit(gradients, maximum);
        gradients.forEach(NDArray::close);
        return norm;
    }
}
