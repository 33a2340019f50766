package org.posenc.signal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import java.util.function.IntSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class IntegerCoderTest {

    private static final int G = IntegerCoder.GREATEST;

    private final Random random = new Random(5);

    @Test
    void everyArrayIsReadBack() {
        assertReadBack(new int[] {0});
        assertReadBack(new int[] {-1});
        assertReadBack(new int[] {G, -G, 0, 1, -2, 3, -4, 1 << 23, (1 << 23) - 1});
        assertReadBack(new int[0]);
        assertReadBack(new int[100_000]);
        for (int scale = 0; scale < 21; scale++) {
            double spread = Math.pow(2, scale);
            int[] values = draw(24 * 25, () -> (int) (spread * random.nextGaussian()));
            assertReadBack(values, values.length);
            assertReadBack(values, 24, 25);
            assertReadBack(values, 4, 6, 25);
            assertReadBack(values, 2, 3, 4, 25);
            assertReadBack(values, values.length, 1);
            assertReadBack(values, 1, values.length);
        }
    }

    private static void assertReadBack(int[] values, int... shape) {
        int[] full = shape.length == 0 ? new int[] {values.length} : shape;
        byte[] bytes = IntegerCoder.encode(values, full);
        assertThat(IntegerCoder.decode(bytes, full)).containsExactly(values);
    }

    /** Shannon's bound for numbers that know nothing of each other. */
    @Test
    void numbersCostLittleMoreThanTheirEntropy() {
        int count = 100_000;
        for (double spread : new double[] {0.2, 0.5, 1, 10, 300, 20_000}) {
            int[] values = draw(count, () -> (int) Math.round(spread * random.nextGaussian()));
            double bits = 8.0 * IntegerCoder.encode(values, 250, 400).length / count;
            double entropy = normalEntropy(spread);
            assertThat(bits)
                    .as("spread %s", spread)
                    .isBetween(0.97 * entropy, 1.03 * entropy + 0.03);
        }
        // Zeros cost what the least probable bit leaves: log2(64/63).
        byte[] zeros = IntegerCoder.encode(new int[count], count);
        assertThat(8.0 * zeros.length / count).isBetween(0.0227, 0.024);
    }

    /** −Σ p log₂ p over the whole numbers, p the normal density's integral by midpoints. */
    private static double normalEntropy(double spread) {
        int reach = (int) Math.ceil(8 * spread) + 1;
        double entropy = 0;
        for (int q = -reach; q <= reach; q++) {
            double p = 0;
            int parts = spread > 100 ? 1 : 200;
            for (int i = 0; i < parts; i++) {
                double x = (q - 0.5 + (i + 0.5) / parts) / spread;
                p += Math.exp(-x * x / 2) / (spread * Math.sqrt(2 * Math.PI) * parts);
            }
            entropy -= p > 1e-300 ? p * Math.log(p) / Math.log(2) : 0;
        }
        return entropy;
    }

    /** Numbers whose spread falls along both axes, as a transformed image's do. */
    @Test
    void neighboursForetellHowLargeANumberIs() {
        int side = 256;
        int[] falling =
                IntStream.range(0, side * side)
                        .map(
                                n -> {
                                    double far = 1 + Math.hypot(n / side, n % side);
                                    return (int) Math.round(400 / far * random.nextGaussian());
                                })
                        .toArray();
        int[] shuffled = falling.clone();
        for (int i = shuffled.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swapped = shuffled[i];
            shuffled[i] = shuffled[j];
            shuffled[j] = swapped;
        }
        // Written where the spread is known exactly, which a coder has to guess from neighbours.
        double[] entropies = new double[2 * side];
        Arrays.setAll(entropies, far -> normalEntropy(400.0 / (1 + far)));
        double ideal = 0;
        for (int n = 0; n < side * side; n++) {
            ideal += entropies[(int) Math.round(Math.hypot(n / side, n % side))] / 8;
        }
        int known = IntegerCoder.encode(falling, side, side).length;
        int unknown = IntegerCoder.encode(shuffled, side, side).length;
        assertThat(known).isLessThan((int) (0.95 * unknown)).isLessThan((int) (1.1 * ideal));
    }

    @Test
    void whatIsNoCodeIsRefused() {
        int[] values = draw(500, () -> (int) (9 * random.nextGaussian()));
        byte[] bytes = IntegerCoder.encode(values, 500);
        for (int length = 0; length < bytes.length; length++) {
            byte[] cut = Arrays.copyOf(bytes, length);
            assertThatThrownBy(() -> IntegerCoder.decode(cut, 500))
                    .isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> IntegerCoder.decode(Arrays.copyOf(bytes, bytes.length + 1), 500))
                .hasMessage("the coded numbers do not end where they should");
        assertThatThrownBy(() -> IntegerCoder.decode(bytes, 499))
                .hasMessage("the coded numbers do not end where they should");
        assertThatThrownBy(() -> IntegerCoder.decode(new byte[8], 1 << 15, 1 << 15))
                .hasMessage("8 bytes cannot hold 1073741824 numbers");
        assertThatThrownBy(() -> IntegerCoder.encode(new int[] {0, G + 1}, 2))
                .hasMessage("numbers must be within ±16777215, got 16777216");
        assertThatThrownBy(() -> IntegerCoder.encode(new int[] {Integer.MIN_VALUE}, 1))
                .hasMessageContaining("got -2147483648");
    }

    private static int[] draw(int count, IntSupplier numbers) {
        return IntStream.generate(numbers).limit(count).toArray();
    }
}
