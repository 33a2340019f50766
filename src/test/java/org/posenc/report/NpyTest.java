package org.posenc.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against files that NumPy 2 wrote ({@code test-data/npy/make.py}). */
class NpyTest {

    private static final Path NUMPY = Path.of("test-data", "npy");

    @TempDir private Path folder;

    @Test
    void readsWhatNumPyWrote() {
        Npy matrix = Npy.read(NUMPY.resolve("float32_2x3.npy"));
        assertThat(matrix.shape()).containsExactly(2, 3);
        assertThat(matrix.type()).isEqualTo("<f4");
        assertThat(matrix.values())
                .containsExactly(IntStream.range(0, 6).mapToDouble(i -> i / 3f).toArray());

        Npy vector = Npy.read(NUMPY.resolve("float64_3.npy"));
        assertThat(vector.shape()).containsExactly(3);
        assertThat(vector.values()).containsExactly(-1.5, Math.PI, Double.POSITIVE_INFINITY);

        Npy scalar = Npy.read(NUMPY.resolve("float64_scalar.npy"));
        assertThat(scalar.shape()).isEmpty();
        assertThat(scalar.values()).containsExactly(2.5);

        assertThat(Npy.read(NUMPY.resolve("int64_4.npy")).values())
                .containsExactly(0, -7, 1L << 40, 3);
        assertThat(Npy.read(NUMPY.resolve("float64_0x4.npy")).shape()).containsExactly(0, 4);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "float32_2x3",
                "float64_3",
                "float64_scalar",
                "float64_0x4",
                "float32_12x5x7x2",
                "int64_4"
            })
    void writesTheVeryBytesOfNumPy(String name) throws IOException {
        Path numpy = NUMPY.resolve(name + ".npy");
        Npy.read(numpy).write(folder.resolve("own.npy"));
        assertThat(folder.resolve("own.npy")).hasSameBinaryContentAs(numpy);
    }

    @Test
    void writesFloatsAndDoubles() throws IOException {
        Npy.of(new float[] {0, 1 / 3f, 2 / 3f, 1, 4 / 3f, 5 / 3f}, 2, 3)
                .write(folder.resolve("f.npy"));
        assertThat(folder.resolve("f.npy"))
                .hasSameBinaryContentAs(NUMPY.resolve("float32_2x3.npy"));
        Npy.of(new double[] {-1.5, Math.PI, Double.POSITIVE_INFINITY}, 3)
                .write(folder.resolve("d.npy"));
        assertThat(folder.resolve("d.npy")).hasSameBinaryContentAs(NUMPY.resolve("float64_3.npy"));
    }

    @Test
    void saysWhatIsWrongWithAFile() throws IOException {
        assertThatThrownBy(() -> Npy.read(NUMPY.resolve("fortran.npy")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("C order");
        assertThatThrownBy(() -> Npy.read(NUMPY.resolve("complex.npy")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("<c8");
        assertThatThrownBy(() -> Npy.read(NUMPY.resolve("make.py")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not an .npy file");
        assertThatThrownBy(() -> Npy.read(folder.resolve("missing.npy")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("missing.npy");
        byte[] whole = Files.readAllBytes(NUMPY.resolve("float64_3.npy"));
        for (int length : new int[] {0, 7, 9, 40, whole.length - 1}) {
            Path torn = Files.write(folder.resolve("torn.npy"), Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> Npy.read(torn)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> Npy.of(new double[5], 2, 3))
                .hasMessage("a shape of [2, 3] takes 6 values, got 5");
    }
}
