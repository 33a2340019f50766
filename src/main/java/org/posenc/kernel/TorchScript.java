package org.posenc.kernel;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * One operation of libtorch, written as TorchScript text in a resource and called like a function.
 *
 * <p>A TorchScript archive is a ZIP of a few small entries whose code is plain text, so no Python
 * is needed to make one. Gradients flow through a call whenever the calling thread records them;
 * the archive holds no state, so one instance serves every thread and every device, and it never
 * becomes part of a model or a checkpoint.
 */
public final class TorchScript {

    private static final Set<DataType> SAFE =
            EnumSet.of(
                    DataType.FLOAT16,
                    DataType.FLOAT32,
                    DataType.FLOAT64,
                    DataType.INT64,
                    DataType.INT32,
                    DataType.INT8,
                    DataType.UINT8,
                    DataType.BOOLEAN);

    /** Names of this form mean nothing to DJL; others would turn an input into a list or a map. */
    private static final Pattern PLAIN_NAME = Pattern.compile("\\w+");

    private record Key(String name, Map<String, ?> constants) {}

    private static final Map<Key, TorchScript> LOADED = new ConcurrentHashMap<>();

    private final PtSymbolBlock module;

    private TorchScript(PtSymbolBlock module) {
        this.module = module;
    }

    /**
     * Returns the operation in a resource of this package.
     *
     * @param name the resource's name without its extension {@code .py}
     * @param constants what replaces {@code ${key}} in its text; an operation is loaded once for
     *     each set of constants
     * @return the operation
     */
    static TorchScript load(String name, Map<String, ?> constants) {
        return LOADED.computeIfAbsent(
                new Key(name, Map.copyOf(constants)), key -> compile(source(key)));
    }

    private static String source(Key key) {
        String source = resource(key.name() + ".py");
        for (Map.Entry<String, ?> constant : key.constants().entrySet()) {
            source = source.replace("${" + constant.getKey() + "}", literal(constant.getValue()));
        }
        return source;
    }

    static TorchScript load(String name) {
        return load(name, Map.of());
    }

    /**
     * Calls the operation.
     *
     * @param training whether gradients are to flow: where {@code false}, nothing is recorded
     * @param inputs the arguments; the first one's manager owns the result
     * @return the result
     * @throws IllegalArgumentException if an input has a type that DJL cannot hand to libtorch;
     *     bfloat16 would abort the JVM
     */
    NDArray call(boolean training, NDArray... inputs) {
        return all(training, inputs).singletonOrThrow();
    }

    /**
     * Calls an operation that returns a list of arrays.
     *
     * @param training whether gradients are to flow: where {@code false}, nothing is recorded
     * @param inputs the arguments; the first one's manager owns the results
     * @return the results
     * @throws IllegalArgumentException as {@link #call}
     */
    NDList all(boolean training, NDArray... inputs) {
        NDList arguments = new NDList(inputs.length);
        for (NDArray input : inputs) {
            arguments.add(checked(input));
        }
        try (Autograd.Scope recording = training ? () -> {} : Autograd.off()) {
            return run(arguments);
        } finally {
            for (int i = 0; i < inputs.length; i++) {
                if (arguments.get(i) != inputs[i]) {
                    arguments.get(i).close(); // a handle without its name
                }
            }
        }
    }

    /**
     * Calls an operation that changes arrays in place and records no gradient.
     *
     * @param lists its first arguments, lists of arrays
     * @param numbers its last arguments
     * @return the result, to be read only; the first array's manager owns it
     * @throws IllegalArgumentException as {@link #call}
     */
    NDArray change(List<List<NDArray>> lists, double... numbers) {
        lists.forEach(list -> list.forEach(array -> checkType(array.getDataType())));
        Stream<IValue> arrays =
                lists.stream().map(list -> IValue.listFrom(list.toArray(PtNDArray[]::new)));
        IValue[] arguments =
                Stream.concat(arrays, DoubleStream.of(numbers).mapToObj(IValue::from))
                        .toArray(IValue[]::new);
        PtNDManager manager = (PtNDManager) lists.get(0).get(0).getManager();
        JniUtils.setGraphExecutorOptimize(false);
        try (IValue result = IValueUtils.runMethod(module, "forward", arguments)) {
            return result.toTensor(manager);
        } finally {
            JniUtils.setGraphExecutorOptimize(true);
            Arrays.stream(arguments).forEach(IValue::close);
        }
    }

    private NDList run(NDList arguments) {
        // libtorch would specialise the code to each new shape, which costs tens of milliseconds
        // and gains nothing for a handful of large operations.
        JniUtils.setGraphExecutorOptimize(false);
        try {
            // Always in training mode: DJL's inference mode makes results that no later training
            // step may touch. Whether a graph is recorded is this thread's grad mode alone.
            return IValueUtils.forward(module, arguments, true);
        } finally {
            JniUtils.setGraphExecutorOptimize(true);
        }
    }

    /**
     * Refuses a type that would abort the JVM.
     *
     * @param type the type asked for
     * @throws IllegalArgumentException if DJL's glue has no libtorch type for it
     */
    public static void checkType(DataType type) {
        if (!SAFE.contains(type)) {
            throw new IllegalArgumentException(
                    "data type "
                            + type.name().toLowerCase(Locale.ROOT)
                            + " cannot pass from DJL to PyTorch; use float32, float16 or float64");
        }
    }

    private static NDArray checked(NDArray input) {
        if (Precision.keeps(input)) {
            return input;
        }
        checkType(input.getDataType());
        String name = input.getName();
        boolean plain = name == null || PLAIN_NAME.matcher(name).matches();
        return plain ? input : input.reshape(input.getShape());
    }

    private static TorchScript compile(String source) {
        NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
        try (InputStream archive = new ByteArrayInputStream(archive(source))) {
            return new TorchScript(
                    JniUtils.loadModule((PtNDManager) manager, archive, false, false));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] archive(String source) throws IOException {
        ByteArrayOutputStream object = new ByteArrayOutputStream();
        object.write(new byte[] {(byte) 0x80, 2}); // pickle, protocol 2
        object.write(ascii("c__torch__\nKernel\n)")); // the class, no arguments
        object.write(0x81); // an instance
        object.write(ascii("}(X"));
        object.write(new byte[] {8, 0, 0, 0});
        object.write(ascii("training"));
        object.write(0x88); // True
        object.write(ascii("ub."));

        StringBuilder code = new StringBuilder();
        code.append("class Kernel(Module):\n");
        code.append("  __parameters__ = []\n");
        code.append("  __buffers__ = []\n");
        code.append("  training : bool\n");
        source.lines()
                .filter(line -> !line.isBlank() && !line.startsWith("#"))
                .forEach(line -> code.append("  ").append(line).append('\n'));

        ByteArrayOutputStream archive = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(archive)) {
            store(zip, "kernel/data.pkl", object.toByteArray());
            store(zip, "kernel/code/__torch__.py", ascii(code.toString()));
            store(zip, "kernel/constants.pkl", new byte[] {(byte) 0x80, 2, ')', '.'});
            store(zip, "kernel/version", ascii("3\n"));
        }
        return archive.toByteArray();
    }

    private static void store(ZipOutputStream zip, String name, byte[] content) throws IOException {
        CRC32 crc = new CRC32();
        crc.update(content);
        ZipEntry entry = new ZipEntry(name);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(content.length);
        entry.setCompressedSize(content.length);
        entry.setCrc(crc.getValue());
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static String literal(Object value) {
        if (value instanceof Boolean flag) {
            return flag ? "True" : "False";
        }
        return String.valueOf(value);
    }

    private static String resource(String name) {
        try (InputStream in = TorchScript.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalArgumentException("no TorchScript resource named " + name);
            }
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
