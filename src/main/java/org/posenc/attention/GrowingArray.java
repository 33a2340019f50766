package org.posenc.attention;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.posenc.kernel.Slice;

/**
 * An array that grows along one axis. Its room doubles, so that what it costs to append a token
 * does not depend on how many there are.
 */
final class GrowingArray implements AutoCloseable {

    private static final long LEAST_ROOM = 16;

    private final NDManager owner;
    private final int axis;
    private NDArray buffer; // null before the first write

    GrowingArray(NDManager owner, int axis) {
        this.owner = owner;
        this.axis = axis;
    }

    /** Puts a part at a place of the axis; what stood there and after it is lost. */
    void write(NDArray part, long at) {
        Shape shape = part.getShape();
        long end = at + shape.get(axis);
        if (buffer == null) {
            buffer = room(part, shape, Math.max(end, LEAST_ROOM));
        } else if (end > buffer.getShape().get(axis)) {
            NDArray larger = room(buffer, shape, Math.max(end, 2 * buffer.getShape().get(axis)));
            if (at > 0) {
                try (NDArray kept = view(owner, at)) {
                    Slice.write(larger, axis, 0, kept);
                }
            }
            replace(larger);
        }
        Slice.write(buffer, axis, at, part);
    }

    /** Returns the first places of the axis, in the memory of this array. */
    NDArray view(NDManager manager, long to) {
        return Slice.first(manager, buffer, axis, to);
    }

    /** Keeps the rows given, in this order. */
    void select(NDArray rows) {
        if (buffer != null) {
            NDArray chosen = Slice.rows(buffer, rows);
            keep(chosen);
            replace(chosen);
        }
    }

    /** Gives each row of a batch a copy of the only row. */
    void spread(long rows) {
        if (buffer != null) {
            NDArray all = buffer.repeat(0, rows);
            keep(all);
            replace(all);
        }
    }

    boolean isEmpty() {
        return buffer == null;
    }

    /** Returns the bytes of memory taken, with the room for what will come. */
    long bytes() {
        return buffer == null ? 0 : buffer.getShape().size() * buffer.getDataType().getNumOfBytes();
    }

    Shape shape() {
        return buffer.getShape();
    }

    DataType type() {
        return buffer.getDataType();
    }

    Device device() {
        return buffer.getDevice();
    }

    private NDArray room(NDArray like, Shape shape, long length) {
        long[] sizes = shape.getShape().clone();
        sizes[axis] = length;
        NDArray made = owner.create(new Shape(sizes), like.getDataType(), like.getDevice());
        keep(made);
        return made;
    }

    /** Arrays made while a layer runs would be freed with its temporaries. */
    private void keep(NDArray array) {
        array.attach(owner);
        NDScope.unregister(array);
    }

    private void replace(NDArray other) {
        buffer.close();
        buffer = other;
    }

    @Override
    public void close() {
        if (buffer != null) {
            buffer.close();
            buffer = null;
        }
    }
}
