package org.posenc.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsTest {

    /** Written by the reference library: test-data/scripts/safetensors_types.py. */
    private static final Path TYPES = Path.of("test-data", "safetensors", "types.safetensors");

    private static final double[] FLOATS = {
        0.0,
        -0.0,
        1,
        -1.5,
        0.1,
        3.0e38,
        1.0e-40,
        Double.POSITIVE_INFINITY,
        Double.NEGATIVE_INFINITY,
        Double.NaN
    };

    private static final String ONE =
            "\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}";

    private final NDManager manager = NDManager.newBaseManager();

    @TempDir private Path folder;

    @AfterEach
    void close() {
        manager.close();
    }

    @ParameterizedTest
    @CsvSource({
        "u8,  UINT8, 0,                    1, 255",
        "i8,  INT8,  -128,                 0, 127",
        "u16, INT32, 0,                    1, 65535",
        "i16, INT32, -32768,               0, 32767",
        "u32, INT64, 0,                    1, 4294967295",
        "i32, INT32, -2147483648,          0, 2147483647",
        "u64, INT64, 0,                    1, 9223372036854775807",
        "i64, INT64, -9223372036854775808, 0, 9223372036854775807",
    })
    void integersOfTheReferenceLibraryAreReadExactly(
            String name, DataType type, long first, long second, long third) {
        NDArray read = Safetensors.open(TYPES).read(name, manager);
        assertThat(read.getDataType()).isEqualTo(type);
        assertThat(read.toType(DataType.INT64, false).toLongArray())
                .containsExactly(first, second, third);
    }

    @Test
    void floatsOfTheReferenceLibraryAreReadToTheLastBit() {
        Safetensors file = Safetensors.open(TYPES);
        double[] wide = file.read("f64", manager).toDoubleArray();
        float[] single = file.read("f32", manager).toFloatArray();
        NDArray half = file.read("f16", manager);
        float[] brain = file.read("bf16", manager).toFloatArray();
        assertThat(half.getDataType()).isEqualTo(DataType.FLOAT16);
        float[] halves = half.toType(DataType.FLOAT32, false).toFloatArray();
        // Neighbours: 0.1 has no exact image in any of them, 10⁻⁴⁰ is denormal in two.
        float[] expectedHalves = {0, -0f, 1, -1.5f, 0x1.998p-4f, inf(), 0, inf(), -inf(), nan()};
        float[] expectedBrain = {
            0, -0f, 1, -1.5f, 0x1.9ap-4f, 0x1.c4p127f, 0x1p-133f, inf(), -inf(), nan()
        };
        assertThat(wide).isEqualTo(FLOATS);
        assertThat(single)
                .isEqualTo(
                        file.read("f64", manager).toType(DataType.FLOAT32, false).toFloatArray());
        assertThat(halves).isEqualTo(expectedHalves);
        assertThat(brain).isEqualTo(expectedBrain);
    }

    private static float inf() {
        return Float.POSITIVE_INFINITY;
    }

    private static float nan() {
        return Float.NaN;
    }

    @Test
    void shapesTruthValuesAndMetadataAreRead() {
        Safetensors file = Safetensors.open(TYPES);
        assertThat(file.metadata()).containsEntry("format", "pt").containsEntry("note", "ä \" \\ ");
        assertThat(file.read("bool", manager).toBooleanArray()).containsExactly(true, false, true);
        assertThat(file.read("scalar", manager).getFloat()).isEqualTo(7.25f);
        assertThat(file.read("scalar", manager).getShape()).isEqualTo(new Shape());
        assertThat(file.read("empty", manager).getShape()).isEqualTo(new Shape(0, 4));
        NDArray matrix = file.read("matrix", manager);
        assertThat(matrix.getShape()).isEqualTo(new Shape(2, 3));
        assertThat(matrix.toFloatArray()).containsExactly(0, 1, 2, 3, 4, 5);
        assertThat(file.type("bf16")).isEqualTo(StoredType.BF16);
    }

    @Test
    void whatDoesNotFitIntoMemorysTypesIsRefused() {
        assertThatThrownBy(() -> Safetensors.open(TYPES).read("largest u64", manager))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "unsigned numbers of 64 bits must be below 2^63, got"
                                + " 18446744073709551615");
        assertThatThrownBy(() -> Safetensors.open(TYPES).read("f8", manager))
                .hasMessage("there is no tensor f8");
    }

    @Test
    void anArrayReadIsItsOwn() {
        NDArray read = Safetensors.open(TYPES).read("matrix", manager);
        read.addi(1);
        assertThat(read.toFloatArray()).containsExactly(1, 2, 3, 4, 5, 6);
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void aFileThatWasCutSinceCostsOneSentence(StoredType stored) throws IOException {
        Path file = folder.resolve("cut.safetensors");
        NDArray ones = manager.ones(new Shape(100));
        Safetensors.write(file, Map.of("w", ones), Map.of(), stored);
        Safetensors opened = Safetensors.open(file);
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(bytes, bytes.length - 1));
        assertThatThrownBy(() -> opened.read("w", manager))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("shorter since its header was read");
    }

    @Test
    void everythingWrittenIsReadBack() {
        Map<String, NDArray> tensors = new LinkedHashMap<>();
        Safetensors types = Safetensors.open(TYPES);
        types.names().stream()
                .filter(name -> !name.startsWith("largest"))
                .forEach(name -> tensors.put(name, types.read(name, manager)));
        Path file = folder.resolve("deep/copy.safetensors");
        Safetensors.write(file, tensors, Map.of("format", "pt", "π", "3"));
        Safetensors copy = Safetensors.open(file);
        assertThat(copy.names()).hasSameElementsAs(tensors.keySet());
        assertThat(copy.metadata()).isEqualTo(Map.of("format", "pt", "π", "3"));
        tensors.forEach(
                (name, tensor) -> {
                    NDArray back = copy.read(name, manager);
                    assertThat(back.getDataType()).isEqualTo(tensor.getDataType());
                    assertThat(back.getShape()).isEqualTo(tensor.getShape());
                    assertThat(back.toByteBuffer()).as(name).isEqualTo(tensor.toByteBuffer());
                });
    }

    @Test
    void tensorsLongerThanAChunkAreWholeAndAligned() throws IOException {
        long size = (1 << 22) + 5;
        NDArray numbers = manager.arange(0, size, 1, DataType.FLOAT32);
        NDArray odd = manager.ones(new Shape(3), DataType.INT8);
        Path file = folder.resolve("long.safetensors");
        Safetensors.write(file, Map.of("odd", odd, "numbers", numbers), Map.of());
        ByteBuffer header =
                ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(header.getLong() % 8).isZero();
        NDArray back = Safetensors.open(file).read("numbers", manager);
        assertThat(back.eq(numbers).all().getBoolean()).isTrue();
        Path narrow = folder.resolve("narrow.safetensors");
        Safetensors.write(narrow, Map.of("numbers", numbers), Map.of(), StoredType.BF16);
        NDArray rounded = Safetensors.open(narrow).read("numbers", manager);
        double worst = rounded.sub(numbers).abs().div(numbers.maximum(1)).max().getFloat();
        assertThat(worst).isBetween(0x1p-10, 0x1p-8);
    }

    /** Floats of every magnitude, rounded by PyTorch: the file of the reference library. */
    @Test
    void bfloat16IsRoundedToTheNearestHalvesToEven() {
        float[] values = {
            1, 0x1.01p0f, 0x1.03p0f, 0x1.010002p0f, 0x1.00fffep0f, 0x1.ffp0f, -0x1.03p0f
        };
        float[] expected = {1, 1, 0x1.04p0f, 0x1.02p0f, 1, 2, -0x1.04p0f};
        Path file = folder.resolve("bf16.safetensors");
        Safetensors.write(file, Map.of("w", manager.create(values)), Map.of(), StoredType.BF16);
        assertThat(Safetensors.open(file).read("w", manager).toFloatArray()).isEqualTo(expected);
    }

    @Test
    void whatFloat16CannotHoldIsRefusedAndLeavesNoFile() throws IOException {
        Path file = folder.resolve("f16.safetensors");
        NDArray large = manager.create(new float[] {1, 70_000});
        assertThatThrownBy(
                        () -> Safetensors.write(file, Map.of("w", large), Map.of(), StoredType.F16))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("tensor w has values that are too large for F16; store it as BF16");
        assertThatThrownBy(
                        () -> Safetensors.write(file, Map.of("w", large), Map.of(), StoredType.I8))
                .hasMessage("floats can be stored as F16, BF16, F32 or F64, got I8");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).isEmpty();
        }
    }

    static Stream<Arguments> malformed() {
        String entry = "\"w\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}";
        return Stream.of(
                Arguments.of("", 8, "its header claims 0 bytes"),
                Arguments.of("[]", 0, "its header is not a JSON object"),
                Arguments.of("{}", 8, "its tensors take 0 bytes and it has 8 for them"),
                Arguments.of("{\"w\"}", 8, "its header is no valid JSON at $.w"),
                Arguments.of("{" + ONE, 8, "its header is no valid JSON at $.w"),
                Arguments.of("{" + ONE + ",}", 8, "its header is no valid JSON"),
                Arguments.of("{'w':1}", 8, "its header is no valid JSON"),
                Arguments.of("{" + ONE + "}{}", 8, "its header is no valid JSON"),
                Arguments.of("{\"w\":3}", 8, "tensor w must be an object"),
                Arguments.of("{" + ONE + "," + ONE + "}", 8, "it has two tensors of the name w"),
                Arguments.of("{" + ONE + "}", 7, "its tensors take 8 bytes and it has 7 for them"),
                Arguments.of("{" + ONE + "}", 9, "its tensors take 8 bytes and it has 9 for them"),
                Arguments.of(
                        "{\"__metadata__\":{\"a\":1}," + ONE + "}",
                        8,
                        "__metadata__ must hold strings"),
                Arguments.of(
                        "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}",
                        0,
                        "__metadata__ has the key a twice"),
                Arguments.of(
                        "{\"__metadata__\":{},\"__metadata__\":{}}",
                        0,
                        "its header has __metadata__ twice"),
                Arguments.of(
                        entry.formatted("F8_E4M3", "[8]", "[0,8]"),
                        8,
                        "tensor w has type F8_E4M3; those that can be read are [BOOL, U8,"),
                Arguments.of(
                        "\"w\":{\"dtype\":4,\"shape\":[2],\"data_offsets\":[0,8]}",
                        8,
                        "dtype of tensor w must be a string"),
                Arguments.of(
                        "\"w\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}",
                        8,
                        "it has dtype of tensor w twice"),
                Arguments.of(
                        "\"w\":{\"dtype\":\"F32\",\"shape\":[2]}",
                        8,
                        "tensor w needs a dtype, a shape and two data_offsets"),
                Arguments.of(
                        "\"w\":{\"dtype\":\"F32\",\"size\":[2]}",
                        8,
                        "tensor w has an unknown key size"),
                Arguments.of(
                        entry.formatted("F32", "[2]", "[0,8,8]"),
                        8,
                        "tensor w needs a dtype, a shape and two data_offsets"),
                Arguments.of(
                        entry.formatted("F32", "[-2]", "[0,8]"),
                        8,
                        "shape of tensor w must be whole numbers from 0, got -2"),
                Arguments.of(
                        entry.formatted("F32", "[2.0]", "[0,8]"),
                        8,
                        "shape of tensor w must be whole numbers from 0, got 2.0"),
                Arguments.of(
                        entry.formatted("F32", "[\"2\"]", "[0,8]"),
                        8,
                        "shape of tensor w must be whole numbers from 0"),
                Arguments.of(
                        entry.formatted("F32", "2", "[0,8]"),
                        8,
                        "shape of tensor w must be whole numbers from 0"),
                Arguments.of(
                        entry.formatted("F32", "[4294967296,4294967296]", "[0,8]"),
                        8,
                        "tensor w has the impossible shape (4294967296, 4294967296)"),
                Arguments.of(
                        entry.formatted("F32", "[3]", "[0,8]"),
                        8,
                        "tensor w of type F32 and shape (3) takes 12 bytes, its data_offsets give"
                                + " it 8"),
                Arguments.of(
                        entry.formatted("F32", "[2]", "[8,0]"),
                        8,
                        "tensor w of type F32 and shape (2) takes 8 bytes, its data_offsets give"
                                + " it -8"),
                Arguments.of(
                        entry.formatted("F32", "[2]", "[8,16]"),
                        16,
                        "tensor w begins at byte 8 where the one before it ends at 0"),
                Arguments.of(
                        ONE + ",\"v\":{\"dtype\":\"I8\",\"shape\":[4],\"data_offsets\":[4,8]}",
                        8,
                        "tensor v begins at byte 4 where the one before it ends at 8"),
                Arguments.of(
                        ONE + ",\"v\":{\"dtype\":\"I8\",\"shape\":[4],\"data_offsets\":[12,16]}",
                        16,
                        "tensor v begins at byte 12 where the one before it ends at 8"));
    }

    @ParameterizedTest
    @MethodSource("malformed")
    void aMalformedFileCostsOneSentence(String header, int bytes, String why) throws IOException {
        String text = header.startsWith("\"") ? "{" + header + "}" : header;
        Path file = write(text.getBytes(StandardCharsets.UTF_8), text.length(), bytes);
        assertThatThrownBy(() -> Safetensors.open(file))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(file + " is no safetensors file: " + why);
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, Long.MIN_VALUE, 1, 99, Long.MAX_VALUE, 100_000_001})
    void aHeaderLongerThanTheFileIsNotRead(long length) throws IOException {
        Path file = write(("{" + ONE + "}").getBytes(StandardCharsets.UTF_8), length, 8);
        assertThatThrownBy(() -> Safetensors.open(file))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("its header claims " + Long.toUnsignedString(length));
    }

    @Test
    void whatIsNoFileOrNotTextCostsOneSentence() throws IOException {
        assertThatThrownBy(() -> Safetensors.open(folder.resolve("none.safetensors")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageEndingWith("none.safetensors: no such file");
        Path file = Files.write(folder.resolve("short.safetensors"), new byte[7]);
        assertThatThrownBy(() -> Safetensors.open(file))
                .hasMessageEndingWith("it has 7 bytes and needs at least 8");
        Path latin = write(new byte[] {'{', '"', (byte) 0xe4, '"', '}'}, 5, 0);
        assertThatThrownBy(() -> Safetensors.open(latin))
                .hasMessageEndingWith("its header is not UTF-8");
    }

    @Test
    void trailingSpacesAndAnyOrderAreAllowed() throws IOException {
        String text =
                "{\"b\":{\"data_offsets\":[4,8],\"shape\":[],\"dtype\":\"F32\"},"
                        + "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
                        + "\"e\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[4,4]}}  \n";
        Path file = write(text.getBytes(StandardCharsets.UTF_8), text.length(), 8);
        assertThat(Safetensors.open(file).names()).containsExactly("b", "a", "e");
        assertThat(Safetensors.open(file).read("b", manager).getFloat()).isZero();
    }

    /** Seeded mutations of a good file: a sentence or an equal set of names, nothing else. */
    @Test
    void noMutationDoesMoreThanASentence() throws IOException {
        byte[] good = Files.readAllBytes(TYPES);
        int headerEnd = 8 + (int) ByteBuffer.wrap(good).order(ByteOrder.LITTLE_ENDIAN).getLong();
        Random random = new Random(11);
        Path file = folder.resolve("mutant.safetensors");
        int refused = 0;
        for (int i = 0; i < 2000; i++) {
            byte[] mutant = good.clone();
            int changes = 1 + random.nextInt(3);
            for (int c = 0; c < changes; c++) {
                mutant[random.nextInt(headerEnd)] = (byte) random.nextInt(256);
            }
            int cut = random.nextInt(8) == 0 ? random.nextInt(good.length) : good.length;
            Files.write(file, java.util.Arrays.copyOf(mutant, cut));
            try {
                Safetensors opened = Safetensors.open(file);
                opened.names().forEach(opened::shape);
            } catch (IllegalArgumentException e) {
                assertThat(e.getMessage()).startsWith(file + " is no safetensors file: ");
                refused++;
            }
        }
        assertThat(refused).isBetween(1000, 2000);
    }

    private Path write(byte[] header, long length, int bytes) throws IOException {
        ByteBuffer content =
                ByteBuffer.allocate(8 + header.length + bytes).order(ByteOrder.LITTLE_ENDIAN);
        content.putLong(length).put(header);
        return Files.write(folder.resolve("made.safetensors"), content.array());
    }
}
