package org.posenc.training;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.GradientScale;

/**
 * Dynamic loss scaling (<a href="https://arxiv.org/abs/1710.03740">Micikevicius et al. 2018</a>,
 * §3.2), for gradients that float16 would lose: the loss is multiplied by a scale before backward
 * and the gradients divided by it after. The scale is halved when a gradient is not finite, and
 * that step is left out; it is doubled after a number of steps in a row that were taken. As
 * PyTorch's GradScaler, with its defaults.
 */
public final class LossScaling {

    private final int interval;
    private double scale;
    private int taken; // since the scale was last changed
    private long leftOut;

    /** A scaling that begins at 65536 and doubles after 2000 steps. */
    public LossScaling() {
        this(65536, 2000, 0);
    }

    /**
     * A scaling that begins, or goes on, anywhere.
     *
     * @param scale what the loss is multiplied by first, positive and finite
     * @param interval after how many steps in a row the scale is doubled, at least 1
     * @param taken how many of them were taken already, at least 0 and below the interval
     * @throws IllegalArgumentException if a value is out of its range
     */
    public LossScaling(double scale, int interval, int taken) {
        if (!(scale > 0 && scale < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    "a loss's scale must be positive and finite, got " + scale);
        }
        if (interval < 1 || taken < 0 || taken >= interval) {
            throw new IllegalArgumentException(
                    "the scale doubles after at least 1 step, of which fewer were taken already,"
                            + " got "
                            + interval
                            + " and "
                            + taken);
        }
        this.scale = scale;
        this.interval = interval;
        this.taken = taken;
    }

    /**
     * Returns what the next loss is multiplied by.
     *
     * @return the scale
     */
    public double scale() {
        return scale;
    }

    /**
     * Returns after how many steps the scale is doubled.
     *
     * @return the number of steps
     */
    public int interval() {
        return interval;
    }

    /**
     * Returns how many steps were taken since the scale was last changed.
     *
     * @return less than the interval
     */
    public int taken() {
        return taken;
    }

    /**
     * Returns how many steps were left out for gradients that were not finite.
     *
     * @return their number since this was made
     */
    public long leftOut() {
        return leftOut;
    }

    /**
     * Divides the gradients by the scale, in place, and sets the next scale. It waits for the
     * device.
     *
     * @param parameters initialised parameters on one device, with gradients of a scaled loss
     * @return whether the step is to be taken; where it is not, the gradients are zero
     */
    public boolean apply(Collection<Parameter> parameters) {
        List<NDArray> weights = new ArrayList<>();
        List<NDArray> gradients = new ArrayList<>();
        for (Parameter parameter : parameters) {
            if (parameter.requiresGradient()) {
                NDArray gradient = Autograd.gradient(parameter.getArray());
                if (gradient != null) {
                    weights.add(parameter.getArray());
                    gradients.add(gradient);
                }
            }
        }
        if (gradients.isEmpty()) {
            return true;
        }
        boolean finite = GradientScale.divide(gradients, scale);
        gradients.forEach(NDArray::close);
        if (!finite) {
            weights.forEach(Autograd::zeroGradient);
            scale /= 2;
            taken = 0;
            leftOut++;
        } else if (++taken == interval) {
            scale *= 2;
            taken = 0;
        }
        return finite;
    }
}
