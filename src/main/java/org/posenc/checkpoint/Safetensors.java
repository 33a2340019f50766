package org.posenc.checkpoint;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.posenc.kernel.Slice;
import org.posenc.report.AtomicFile;

/**
 * Named tensors in the format of Hugging Face's <a
 * href="https://huggingface.co/docs/safetensors">safetensors</a>, in one file or in several with an
 * index.
 *
 * <p>Opening reads and checks headers only. Numbers are read to where they stay, and those that are
 * stored in another type a few megabytes at a time. Files and tensors may be larger than 2 GiB.
 */
public final class Safetensors {

    /** Numbers that are read at once; what is converted needs memory for so many. */
    private static final int CHUNK = 1 << 22;

    private final Map<String, Place> places;
    private final Map<String, String> metadata;

    /** A tensor and the file it is in. */
    private record Place(Path file, SafetensorsHeader.Tensor tensor, long dataBegin) {

        long byteOf(long number) {
            return dataBegin + tensor.begin() + number * tensor.type().bytes();
        }
    }

    private Safetensors(Map<String, Place> places, Map<String, String> metadata) {
        this.places = places;
        this.metadata = metadata;
    }

    /**
     * Opens a file, or the files that an index names.
     *
     * @param path a {@code .safetensors} file, or a {@code .safetensors.index.json} beside its
     *     files
     * @return what the headers say
     * @throws IllegalArgumentException if a file cannot be read or is malformed, or if index and
     *     files disagree
     */
    public static Safetensors open(Path path) {
        return path.toString().endsWith(".json") ? shards(path) : file(path);
    }

    private static Safetensors file(Path path) {
        SafetensorsHeader header = SafetensorsHeader.read(path);
        Map<String, Place> places = new LinkedHashMap<>();
        header.tensors()
                .forEach((name, t) -> places.put(name, new Place(path, t, header.dataBegin())));
        return new Safetensors(places, header.metadata());
    }

    private static Safetensors shards(Path index) {
        Map<String, Path> files = SafetensorsIndex.read(index).files();
        Map<String, Place> places = new LinkedHashMap<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        for (Path file : new LinkedHashSet<>(files.values())) {
            Safetensors shard = file(file);
            metadata.putAll(shard.metadata);
            for (Map.Entry<String, Place> entry : shard.places.entrySet()) {
                if (!file.equals(files.get(entry.getKey()))) {
                    throw new IllegalArgumentException(
                            index
                                    + " does not name "
                                    + file.getFileName()
                                    + " as the file of tensor "
                                    + entry.getKey()
                                    + ", which is there");
                }
                places.put(entry.getKey(), entry.getValue());
            }
        }
        for (Map.Entry<String, Path> entry : files.entrySet()) {
            if (!places.containsKey(entry.getKey())) {
                throw new IllegalArgumentException(
                        entry.getValue()
                                + " has no tensor "
                                + entry.getKey()
                                + ", which "
                                + index.getFileName()
                                + " names");
            }
        }
        return new Safetensors(places, metadata);
    }

    /**
     * Returns what tensors there are.
     *
     * @return their names, in the files' order
     */
    public Set<String> names() {
        return Collections.unmodifiableSet(places.keySet());
    }

    /**
     * Returns the files that the tensors are in.
     *
     * @return the files, in the order they were named
     */
    public Set<Path> files() {
        Set<Path> files = new LinkedHashSet<>();
        places.values().forEach(place -> files.add(place.file));
        return files;
    }

    /**
     * Returns the strings that were stored beside the tensors, such as {@code format}.
     *
     * @return the entries of {@code __metadata__}
     */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    /**
     * Returns the type in which a tensor is stored.
     *
     * @param name one of {@link #names()}
     * @return the type in the file
     * @throws IllegalArgumentException if there is no tensor of this name
     */
    public StoredType type(String name) {
        return place(name).tensor.type();
    }

    /**
     * Returns a tensor's shape.
     *
     * @param name one of {@link #names()}
     * @return the shape
     * @throws IllegalArgumentException if there is no tensor of this name
     */
    public Shape shape(String name) {
        return place(name).tensor.shape();
    }

    /**
     * Reads a tensor.
     *
     * @param name one of {@link #names()}
     * @param manager owns the array and decides its device
     * @return the tensor, in the type that {@link StoredType#inMemory()} tells
     * @throws IllegalArgumentException if there is no tensor of this name, or if it cannot be read
     */
    public NDArray read(String name, NDManager manager) {
        Place place = place(name);
        NDArray array = manager.create(place.tensor.shape(), place.tensor.type().inMemory());
        try {
            copy(name, 0, array, 0, array.size());
        } catch (RuntimeException e) {
            array.close();
            throw e;
        }
        return array;
    }

    /**
     * Copies some of a tensor's numbers, counted in C order, into an array that is there already.
     *
     * @param name one of {@link #names()}
     * @param from the first number copied
     * @param target any shape and floating type, or {@link StoredType#inMemory()}; its numbers are
     *     replaced in place, unseen by gradients
     * @param to where in the target the first number goes
     * @param count how many numbers
     */
    void copy(String name, long from, NDArray target, long to, long count) {
        Place place = place(name);
        StoredType type = place.tensor.type();
        try (FileChannel file = FileChannel.open(place.file, StandardOpenOption.READ);
                NDScope scope = new NDScope();
                NDManager host = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            // In-place changes of a parameter's own array are refused while it wants gradients.
            NDArray flat = target.stopGradient().reshape(-1);
            boolean asStored =
                    type.sameInMemory()
                            && type.inMemory() == target.getDataType()
                            && !target.getDevice().isGpu();
            int most = (int) Math.min(CHUNK, count);
            NDArray staged = asStored ? null : staged(host, type, most);
            for (long done = 0; done < count; done += most) {
                int numbers = (int) Math.min(most, count - done);
                long at = place.byteOf(from + done);
                NDIndex there = new NDIndex("{}:{}", to + done, to + done + numbers);
                try (NDArray part = flat.get(there)) {
                    if (asStored) {
                        fill(part.toByteBuffer(true), file, at);
                    } else {
                        ByteBuffer bytes = staged.toByteBuffer(true);
                        fill(bytes.limit(numbers * type.bytes()), file, at);
                        convert(staged, type, part);
                    }
                }
            }
        } catch (IOException e) {
            throw unreadable(place.file, e);
        }
    }

    /** Memory for numbers as they are stored, of a type that DJL has a name for. */
    private static NDArray staged(NDManager host, StoredType type, int numbers) {
        return type.sameInMemory()
                ? host.create(new Shape(numbers), type.inMemory())
                : host.create(new Shape((long) numbers * type.bytes()), DataType.INT8);
    }

    /** Puts the first numbers of those that are staged into all places of a part. */
    private static void convert(NDArray staged, StoredType type, NDArray part) {
        int numbers = (int) part.size();
        try (NDManager host = staged.getManager().newSubManager();
                NDArray given =
                        Slice.first(
                                host,
                                staged,
                                0,
                                type.sameInMemory() ? numbers : (long) numbers * type.bytes())) {
            if (type.sameInMemory()) {
                Slice.write(part, 0, 0, given);
                return;
            }
            boolean inPlace = type.inMemory() == part.getDataType() && !part.getDevice().isGpu();
            NDArray wide = inPlace ? part : host.create(new Shape(numbers), type.inMemory());
            type.widen(
                    given.toByteBuffer(true).order(ByteOrder.LITTLE_ENDIAN),
                    wide.toByteBuffer(true).order(ByteOrder.nativeOrder()));
            if (!inPlace) {
                Slice.write(part, 0, 0, wide);
            }
        }
    }

    /** Fills a buffer with a file's bytes from a place on. */
    private static void fill(ByteBuffer buffer, FileChannel file, long from) throws IOException {
        long at = from;
        while (buffer.hasRemaining()) {
            int read = file.read(buffer, at);
            if (read < 0) {
                throw new IOException("the file has become shorter since its header was read");
            }
            at += read;
        }
    }

    /**
     * Compares two tensors of floats.
     *
     * @return whether they have one shape and the same numbers, of whatever types; a NaN is none
     */
    boolean sameNumbers(String one, String other) {
        Place a = place(one);
        Place b = place(other);
        boolean floats = a.tensor.type().floating() && b.tensor.type().floating();
        if (!floats || !a.tensor.shape().equals(b.tensor.shape())) {
            return false;
        }
        long size = a.tensor.shape().size();
        for (long from = 0; from < size; from += CHUNK) {
            int numbers = (int) Math.min(CHUNK, size - from);
            ByteBuffer x = stored(a, from, numbers);
            ByteBuffer y = stored(b, from, numbers);
            for (int i = 0; i < numbers; i++) {
                if (a.tensor.type().number(x) != b.tensor.type().number(y)) {
                    return false;
                }
            }
        }
        return true;
    }

    private static ByteBuffer stored(Place place, long from, int numbers) {
        int bytes = numbers * place.tensor.type().bytes();
        ByteBuffer stored = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        try (FileChannel file = FileChannel.open(place.file, StandardOpenOption.READ)) {
            fill(stored, file, place.byteOf(from));
        } catch (IOException e) {
            throw unreadable(place.file, e);
        }
        return stored.flip();
    }

    /**
     * Writes tensors as they are: floats in their own type.
     *
     * @param file the file, which appears whole or not at all
     * @param tensors the tensors by name, of types that {@link StoredType} names
     * @param metadata strings that stand beside them; Hugging Face's libraries want {@code format}
     *     to be {@code pt}
     * @throws IllegalArgumentException if the file cannot be written or a type cannot be stored
     */
    public static void write(
            Path file, Map<String, NDArray> tensors, Map<String, String> metadata) {
        write(file, sources(tensors), metadata, types(tensors, own -> own));
    }

    /**
     * Writes tensors, those of floats in another type.
     *
     * @param file the file, which appears whole or not at all
     * @param tensors the tensors by name, of types that {@link StoredType} names
     * @param metadata strings that stand beside them; Hugging Face's libraries want {@code format}
     *     to be {@code pt}
     * @param floats what floats are stored in; values are rounded to the nearest
     * @throws IllegalArgumentException if the file cannot be written, a type cannot be stored or a
     *     value does not fit into float16
     */
    public static void write(
            Path file,
            Map<String, NDArray> tensors,
            Map<String, String> metadata,
            StoredType floats) {
        if (!floats.floating()) {
            throw new IllegalArgumentException(
                    "floats can be stored as F16, BF16, F32 or F64, got " + floats);
        }
        write(
                file,
                sources(tensors),
                metadata,
                types(tensors, own -> own.floating() ? floats : own));
    }

    private static Map<String, StoredType> types(
            Map<String, NDArray> tensors, UnaryOperator<StoredType> conversion) {
        Map<String, StoredType> types = new LinkedHashMap<>();
        tensors.forEach(
                (name, array) ->
                        types.put(name, conversion.apply(StoredType.of(array.getDataType()))));
        return types;
    }

    /**
     * A tensor that need not be there before it is its turn to be written.
     *
     * @param shape its shape
     * @param numbers gives it; arrays made for it are closed once it is written
     */
    record Source(Shape shape, Supplier<NDArray> numbers) {}

    static Map<String, Source> sources(Map<String, NDArray> tensors) {
        Map<String, Source> sources = new LinkedHashMap<>();
        tensors.forEach(
                (name, array) -> sources.put(name, new Source(array.getShape(), () -> array)));
        return sources;
    }

    /** Writes tensors, each in a type of its own. */
    static void write(
            Path file,
            Map<String, Source> tensors,
            Map<String, String> metadata,
            Map<String, StoredType> types) {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        tensors.forEach((name, source) -> shapes.put(name, source.shape()));
        Map<String, SafetensorsHeader.Tensor> places = SafetensorsHeader.layOut(types, shapes);
        byte[] header = SafetensorsHeader.compose(places, metadata);
        AtomicFile.write(
                file,
                out -> {
                    out.write(header);
                    for (String name : places.keySet()) {
                        write(name, tensors.get(name), types.get(name), out);
                    }
                });
    }

    private static void write(String name, Source source, StoredType type, OutputStream out)
            throws IOException {
        WritableByteChannel channel = Channels.newChannel(out);
        try (NDScope scope = new NDScope()) {
            NDArray flat = source.numbers().get().stopGradient().reshape(-1);
            for (long from = 0; from < flat.size(); from += CHUNK) {
                long to = Math.min(from + CHUNK, flat.size());
                try (NDScope chunk = new NDScope()) {
                    channel.write(stored(name, flat.get(new NDIndex("{}:{}", from, to)), type));
                }
            }
        }
    }

    private static ByteBuffer stored(String name, NDArray chunk, StoredType type) {
        if (type == StoredType.BF16) {
            ByteBuffer wide = chunk.toType(DataType.FLOAT32, false).toByteBuffer();
            ByteBuffer half = ByteBuffer.allocate(wide.remaining() / 2);
            StoredType.narrow(
                    wide.order(ByteOrder.nativeOrder()), half.order(ByteOrder.LITTLE_ENDIAN));
            return half.flip();
        }
        NDArray converted = chunk.toType(type.inMemory(), false);
        if (type == StoredType.F16 && infinities(converted) > infinities(chunk)) {
            throw new IllegalArgumentException(
                    "tensor " + name + " has values that are too large for F16; store it as BF16");
        }
        return converted.toByteBuffer();
    }

    private static long infinities(NDArray x) {
        return x.isInfinite().countNonzero().getLong();
    }

    private Place place(String name) {
        Place place = places.get(name);
        if (place == null) {
            throw new IllegalArgumentException("there is no tensor " + name);
        }
        return place;
    }

    static IllegalArgumentException unreadable(Path file, IOException e) {
        String reason = e.getMessage();
        if (e instanceof NoSuchFileException) {
            reason = "no such file";
        } else if (e instanceof AccessDeniedException) {
            reason = "permission denied";
        }
        return new IllegalArgumentException("cannot read " + file + ": " + reason, e);
    }
}
