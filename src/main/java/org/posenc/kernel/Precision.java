package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import java.util.Map;

/**
 * The type in which a thread computes products of float32 matrices and attention; all else, and
 * what these take and give, stays float32. It is mixed precision with float32 masters (<a
 * href="https://arxiv.org/abs/1710.03740">Micikevicius et al. 2018</a>), as PyTorch's autocast: the
 * casts happen inside the kernels, and gradients come back as float32. Norms, softmax, rotation and
 * loss are never narrowed, nor are keys for a single query. Arrays of other types are left as they
 * are.
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

    /** A precision with the weights that are kept in it; {@code null} where none are. */
    private record Setting(Precision precision, NarrowWeights kept) {}

    private static final ThreadLocal<Setting> CURRENT =
            ThreadLocal.withInitial(() -> new Setting(FLOAT32, null));

    /**
     * Computes in this precision on the calling thread until the scope is closed. What was computed
     * in it may be differentiated after.
     *
     * @return the scope
     */
    public Autograd.Scope use() {
        return enter(new Setting(this, null));
    }

    /**
     * Computes in this precision on the calling thread until the scope is closed, and narrows each
     * weight once, when it is first met outside of training: a decoder that reads token after token
     * would else spend more time on that than on products. The narrow copies take two bytes a
     * number beside the weights' own. Until the scope is closed weights must not be changed.
     *
     * @return the scope, which owns the copies
     */
    public Autograd.Scope useForInference() {
        NarrowWeights kept = this == FLOAT32 ? null : new NarrowWeights(inLibtorch());
        Autograd.Scope scope = enter(new Setting(this, kept));
        return () -> {
            scope.close();
            if (kept != null) {
                kept.close();
            }
        };
    }

    private static Autograd.Scope enter(Setting setting) {
        Setting before = CURRENT.get();
        CURRENT.set(setting);
        return () -> CURRENT.set(before);
    }

    /**
     * Returns the calling thread's precision.
     *
     * @return float32 unless a scope is open
     */
    public static Precision current() {
        return CURRENT.get().precision;
    }

    /** Returns a weight as kernels are to take it outside of training: narrowed once, or itself. */
    static NDArray kept(NDArray weight) {
        Setting setting = CURRENT.get();
        return setting.kept != null && setting.precision.narrows(weight.getDataType())
                ? setting.kept.of(weight)
                : weight;
    }

    /** Whether an array was made by {@link #kept}: DJL cannot be asked for its type. */
    static boolean keeps(NDArray array) {
        NarrowWeights kept = CURRENT.get().kept;
        return kept != null && kept.owns(array);
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
