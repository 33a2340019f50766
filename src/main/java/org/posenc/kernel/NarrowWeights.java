package org.posenc.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Copies of weights in a narrower type, made when they are first asked for. DJL aborts the JVM
 * where it makes bfloat16 arrays itself: these are made by a kernel and handed to kernels, nothing
 * else.
 */
final class NarrowWeights implements AutoCloseable {

    private final TorchScript cast;
    private final Map<NDArray, NDArray> copies = new IdentityHashMap<>();
    private final Set<NDArray> own = Collections.newSetFromMap(new IdentityHashMap<>());

    /** Of the type that has this number in libtorch. */
    NarrowWeights(int type) {
        cast = TorchScript.load("cast", Map.of("type", type));
    }

    NDArray of(NDArray weight) {
        return copies.computeIfAbsent(weight, this::copy);
    }

    private NDArray copy(NDArray weight) {
        NDArray copy = cast.call(false, weight);
        copy.detach();
        NDScope.unregister(copy); // it outlives the layer that asked first
        own.add(copy);
        return copy;
    }

    boolean owns(NDArray array) {
        return own.contains(array);
    }

    /** Frees the copies. */
    @Override
    public void close() {
        own.forEach(NDArray::close);
        own.clear();
        copies.clear();
    }
}
