package org.posenc.signal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import org.posenc.kernel.Cast;

/**
 * Preconditioned conjugate gradients (<a href="https://doi.org/10.6028/jres.049.044">Hestenes and
 * Stiefel 1952</a>) on A x = b for a symmetric A that is never negative, known by its products
 * alone. Channels are systems of their own with the same A, solved side by side.
 */
final class ConjugateGradients {

    /**
     * What an iteration came to.
     *
     * @param x (C, …)
     * @param iterations how many steps it took
     * @param residual the greatest ‖b − A x‖ / ‖b‖ of the channels
     */
    record Solution(NDArray x, int iterations, double residual) {}

    private ConjugateGradients() {}

    /**
     * Solves the systems, from x = 0: where A is singular and M the identity, the least x.
     *
     * @param a x ↦ A x, (C, …) to the same shape
     * @param b (C, …), float64
     * @param preconditioner M⁻¹, positive, by which residuals are multiplied element by element;
     *     its shape is that of b, or is broadcast to it
     * @param stopping when to end
     * @return the solution, in the current scope
     */
    static Solution solve(
            UnaryOperator<NDArray> a, NDArray b, NDArray preconditioner, Stopping stopping) {
        NDArray x = b.zerosLike();
        NDArray r = b.duplicate();
        NDArray p = b.mul(preconditioner);
        NDArray first = dot(r, r);
        NDArray rz = dot(r, p);
        double[] squares = first.toDoubleArray();
        double residual = Arrays.stream(squares).anyMatch(s -> s > 0) ? 1 : 0;
        int step = 0;
        while (step < stopping.iterations() && residual > stopping.tolerance()) {
            try (NDScope temporaries = new NDScope()) {
                NDArray ap = a.apply(p);
                NDArray alpha = ratio(rz, dot(p, ap));
                x.addi(p.mul(alpha));
                r.subi(ap.mul(alpha));
                NDArray z = r.mul(preconditioner);
                NDArray next = dot(r, z);
                p.muli(ratio(next, rz)).addi(z);
                rz.close();
                rz = next;
                NDScope.unregister(rz); // it outlives the step
                residual = Math.sqrt(ratio(dot(r, r), first).max().getDouble());
            }
            step++;
        }
        return new Solution(x, step, residual);
    }

    /** Σ a b of each channel, (C, 1, …). */
    private static NDArray dot(NDArray a, NDArray b) {
        Shape shape = a.getShape();
        long[] ones = new long[shape.dimension()];
        Arrays.fill(ones, 1);
        ones[0] = shape.get(0);
        return a.mul(b).reshape(shape.get(0), -1).sum(new int[] {1}).reshape(new Shape(ones));
    }

    /** a / b, and 0 where both are: in a channel that is solved. */
    private static NDArray ratio(NDArray a, NDArray b) {
        return a.div(b.add(Cast.to(b.eq(0), DataType.FLOAT64, false)));
    }
}
