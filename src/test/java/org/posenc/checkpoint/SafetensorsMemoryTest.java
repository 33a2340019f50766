package org.posenc.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.posenc.testing.FreshJvm;

/** What reading a tensor takes from the system, files that are mapped included. */
class SafetensorsMemoryTest {

    private static final int NUMBERS = 24 << 20; // 96 MiB of float32

    @TempDir Path folder;

    /** Prints by how many bytes the greatest memory this process ever had grew. */
    static final class Read {

        public static void main(String[] args) throws IOException {
            try (NDManager manager = NDManager.newBaseManager()) {
                Safetensors file = Safetensors.open(Path.of(args[0]));
                file.read("small", manager);
                long before = peak();
                NDArray read = file.read("large", manager);
                System.out.println(peak() - before + " " + read.getFloat(NUMBERS - 1));
            }
        }

        private static long peak() throws IOException {
            return Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(line -> line.startsWith("VmHWM:"))
                    .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElseThrow();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    @EnabledOnOs(OS.LINUX)
    void readingTakesLittleMoreThanTheTensor(StoredType stored) throws Exception {
        Path path = folder.resolve(stored + ".safetensors");
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray large = manager.full(new Shape(NUMBERS), 0.5f, DataType.FLOAT32);
            NDArray small = manager.ones(new Shape(3), DataType.FLOAT32);
            Safetensors.write(path, Map.of("small", small, "large", large), Map.of(), stored);
        }
        String[] printed = FreshJvm.run(Read.class, path.toString()).split(" ");
        assertThat(printed[1]).isEqualTo("0.5");
        double bytes = (double) NUMBERS * stored.inMemory().getNumOfBytes();
        assertThat(Long.parseLong(printed[0]) / bytes).isBetween(0.9, 1.3);
    }
}
