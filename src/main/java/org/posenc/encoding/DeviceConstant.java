package org.posenc.encoding;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.lang.ref.Cleaner;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Numbers that an encoding is made of (frequencies, slopes, centres), computed in double precision
 * and kept once for each device and data type.
 *
 * <p>They are no parameters: never trained, never saved, never cast with the model. The native
 * copies are freed when the constant itself is no longer reachable.
 */
public final class DeviceConstant {

    private static final Cleaner CLEANER = Cleaner.create();

    private record Key(Device device, DataType type) {}

    private final double[] values;
    private final Shape shape;
    private final Map<Key, NDArray> copies = new ConcurrentHashMap<>();

    /**
     * A constant array.
     *
     * @param values in row-major order
     * @param shape their shape
     * @throws IllegalArgumentException if the shape has another number of elements
     */
    @SuppressWarnings("this-escape")
    public DeviceConstant(double[] values, Shape shape) {
        if (shape.size() != values.length) {
            throw new IllegalArgumentException(
                    values.length + " values do not fill the shape " + shape);
        }
        this.values = values.clone();
        this.shape = shape;
        Map<Key, NDArray> owned = copies;
        CLEANER.register(this, () -> owned.values().forEach(NDArray::close));
    }

    /**
     * A constant vector.
     *
     * @param values its elements
     */
    public DeviceConstant(double... values) {
        this(values, new Shape(values.length));
    }

    /**
     * Returns the constant beside another array: on its device, in the type asked for.
     *
     * @param array what it is to be combined with, as the right operand
     * @param type float32, float64 or float16
     * @return the shared copy; it must not be closed or changed
     */
    public NDArray beside(NDArray array, DataType type) {
        return on(array.getDevice(), type);
    }

    /**
     * Returns the constant on a device.
     *
     * @param device the device
     * @param type float32, float64 or float16
     * @return the shared copy; it must not be closed or changed
     */
    public NDArray on(Device device, DataType type) {
        return copies.computeIfAbsent(new Key(device, type), this::copy);
    }

    private NDArray copy(Key key) {
        try (NDManager temporary = NDManager.newBaseManager(key.device(), "PyTorch")) {
            NDArray exact = temporary.create(values, shape);
            // A copy that libtorch owns: an array made of Java data dies with its Java handle, and
            // a graph may hold views of it for longer.
            NDArray owned = exact.toType(key.type(), true).duplicate();
            owned.detach();
            NDScope.unregister(owned);
            return owned;
        }
    }
}
