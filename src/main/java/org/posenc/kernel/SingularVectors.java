package org.posenc.kernel;

import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.util.Map;

/**
 * The singular value decomposition X = U diag(s) Vᵀ, which DJL has no function for.
 *
 * <p>It is computed in float64 whatever the type of X: in float32 a singular value below some 10⁻⁶
 * of the largest would be noise, and its vectors arbitrary.
 *
 * @param u U (m, r), r = min(m, n), with orthonormal columns
 * @param s the singular values (r), in descending order
 * @param vt Vᵀ (r, n) or, completed, (n, n), with orthonormal rows
 */
public record SingularVectors(NDArray u, NDArray s, NDArray vt) {

    /** Further bases to try, should the first not do. */
    private static final int TURNS = 4;

    /**
     * Decomposes a matrix, without gradients.
     *
     * @param x (m, n), float16, float32 or float64, finite
     * @return the decomposition, float64, in x's manager
     * @throws IllegalArgumentException if the array has another number of axes
     */
    public static SingularVectors of(NDArray x) {
        return decompose(x, false);
    }

    /**
     * Decomposes a matrix and completes V to a basis of the whole space, without gradients.
     *
     * @param x (m, n), float16, float32 or float64, finite
     * @return the decomposition with Vᵀ (n, n), float64, in x's manager
     * @throws IllegalArgumentException if the array has another number of axes
     */
    public static SingularVectors completed(NDArray x) {
        return decompose(x, true);
    }

    private static SingularVectors decompose(NDArray x, boolean completed) {
        Shape shape = x.getShape();
        if (shape.dimension() != 2) {
            throw new IllegalArgumentException(
                    "singular vectors need a matrix (m, n), got shape " + shape);
        }
        // The U of a wide matrix is square in either form, so only its V is made larger.
        boolean square = completed && shape.get(0) < shape.get(1);
        try {
            return of(TorchScript.load("singular_vectors", Map.of("square", square)), x);
        } catch (EngineException e) {
            requireNotConverged(e);
        }
        // LAPACK's divide and conquer now and then fails on a matrix of many equal singular values,
        // such as that of waves at even points; seen in another basis it does not.
        for (int turn = 0; ; turn++) {
            try {
                return byQr(x, square, turn);
            } catch (EngineException e) {
                requireNotConverged(e);
                if (turn == TURNS) {
                    throw e;
                }
            }
        }
    }

    private static void requireNotConverged(EngineException e) {
        if (!e.getMessage().contains("failed to converge")) {
            throw e;
        }
    }

    /** The same, of the factors of Xᵀ = QR in another basis; 0 is the basis they have. */
    static SingularVectors byQr(NDArray x, boolean square, int turn) {
        Shape shape = x.getShape();
        long n = square ? shape.get(1) : Math.min(shape.get(0), shape.get(1));
        String mode = square ? "complete" : "reduced";
        Map<String, Object> how = Map.of("square", square, "mode", mode);
        try (NDArray basis = basis((int) n, turn, x)) {
            return of(TorchScript.load("singular_vectors_by_qr", how), x, basis);
        }
    }

    /**
     * The identity, or for a turn from 1 independent columns sin(i j² turn) without any pattern.
     */
    private static NDArray basis(int n, int turn, NDArray x) {
        double[] t = new double[n * n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                double pattern = Math.sin((i + 1.0) * (j + 1.0) * (j + 1.0) * turn);
                t[i * n + j] = turn > 0 ? pattern : i == j ? 1 : 0;
            }
        }
        return x.getManager().create(t, new Shape(n, n));
    }

    private static SingularVectors of(TorchScript kernel, NDArray... inputs) {
        NDList usv = kernel.all(false, inputs);
        return new SingularVectors(usv.get(0), usv.get(1), usv.get(2));
    }
}
