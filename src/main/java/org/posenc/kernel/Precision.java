package org.posenc.kernel;

import ai.djl.ndarray.types.DataType;
import java.util.Map;

/**
 * The type in which a thread computes products of float32 matrices and attention; all else, and
 * what these take and give, stays float32. It is mixed precision with float32 masters (<a
 * href="https://arxiv.org/abs/1710.03740">Micikevicius et al. 2018</a>), as PyTorch's autocast: the
 * casts happen inside the kernels, and gradients come back as float32. Norms, softmax, rotation and
 * loss are never narrowed. Arrays of other types are left as they are.
 *
 * <pre>{@code
 * try (Autograd.Scope narrow = Precision.BFLOAT16.use()) {
 *     logits = model.logits(ids, positions, mask, parameters, true);
 * }
 * }</pre>
 */
public enum Precision {
    /** No narrowing. */
    FLOAT32,
    /** float32's range in 8 bits of precision. */
    BFLOAT16,
    /** 11 bits of precision, up to 65504: gradients need a loss that is scaled. */
    FLOAT16;

    private static final int BFLOAT16_IN_LIBTORCH = 15;

    private static final ThreadLocal<Precision> CURRENT = ThreadLocal.withInitial(() -> FLOAT32);

    /**
     * Computes in this precision on the calling thread until the scope is closed. What was computed
     * in it may be differentiated after.
     *
     * @return the scope
     */
    public Autograd.Scope use() {
        Precision before = CURRENT.get();
        CURRENT.set(this);
        return () -> CURRENT.set(before);
    }

    /**
     * Returns the calling thread's precision.
     *
     * @return float32 unless a scope is open
     */
    public static Precision current() {
        return CURRENT.get();
    }

    boolean narrows(DataType type) {
        return this != FLOAT32 && type == DataType.FLOAT32;
    }

    /** What a kernel's text calls the types: that of the products and that of what it gives. */
    Map<String, Object> types(DataType type) {
        int own = LibtorchTypes.number(type);
        return Map.of("type", own, "compute", narrows(type) ? inLibtorch() : own);
    }

    private int inLibtorch() {
        return switch (this) {
            case FLOAT32 -> LibtorchTypes.number(DataType.FLOAT32);
            case BFLOAT16 -> BFLOAT16_IN_LIBTORCH;
            case FLOAT16 -> LibtorchTypes.number(DataType.FLOAT16);
        };
    }

    /** {@link ScaledDotProduct#lowest} of the products of arrays of a type. */
    double lowest(DataType type) {
        boolean half = this == FLOAT16 && narrows(type);
        return ScaledDotProduct.lowest(half ? DataType.FLOAT16 : type);
    }
}
