package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;

/**
 * Eigenvalues of a matrix' Gram matrix, which are its squared singular values, at a fraction of
 * their cost.
 *
 * <p>Formed and solved in float64, each is within some n · 2⁻⁵³ of the largest: the large ones are
 * exact to about 14 digits, and a singular value below 10⁻⁸ of the largest is noise.
 */
public final class GramEigenvalues {

    private GramEigenvalues() {}

    /**
     * Returns the eigenvalues of XᵀX or XXᵀ, whichever is smaller, without gradients.
     *
     * @param x (…, m, n), float16, float32 or float64, finite
     * @return (…, min(m, n)) in ascending order, float64; rounding may leave the least ones below 0
     * @throws IllegalArgumentException if the array has fewer than two axes
     */
    public static NDArray of(NDArray x) {
        Shape shape = x.getShape();
        int axes = shape.dimension();
        if (axes < 2) {
            throw new IllegalArgumentException(
                    "a Gram matrix needs a matrix (…, m, n), got shape " + shape);
        }
        boolean tall = shape.get(axes - 2) >= shape.get(axes - 1);
        TorchScript eigenvalues = TorchScript.load("gram_eigenvalues");
        if (tall) {
            return eigenvalues.call(false, x);
        }
        try (NDArray transposed = x.swapAxes(axes - 2, axes - 1)) {
            return eigenvalues.call(false, transposed);
        }
    }
}
