package org.posenc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

/** The programs of {@code examples}, as a reader would run them. */
class ExamplesTest {

    /** Examples have no package, so that they can be copied anywhere and run as they are. */
    private static List<String> run(String example, String... args) throws Exception {
        Method main = Class.forName(example).getMethod("main", String[].class);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream before = System.out;
        System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        try {
            main.invoke(null, (Object) args);
        } finally {
            System.setOut(before);
        }
        return bytes.toString(StandardCharsets.UTF_8).strip().lines().toList();
    }

    @Test
    void theFirstStepsGiveLogitsForEachToken() throws Exception {
        assertThat(run("FirstSteps")).containsExactly("(2, 16, 1000)");
    }

    @Test
    void anEncodingOfYourOwnWorksInTheModelAndInTheAnalysis() throws Exception {
        List<String> lines = run("YourOwnEncoding");
        assertThat(lines.get(0)).isEqualTo("logits (1, 16, 100)");
        // exp(−log(1 + 3)) = 1/4
        assertThat(lines.get(1)).startsWith("acts on BIAS").endsWith("alike by 0.250");
    }

    @Test
    void gaussianFeaturesFitAnImageBetterThanPlainCoordinates() throws Exception {
        List<String> lines = run("FitAnImage", "test-data/images/picos-de-europa.png", "60");
        assertThat(decibels(lines.get(1))).isGreaterThan(decibels(lines.get(0)) + 2);
        // A constant image of the mean colour has 14.3 dB.
        assertThat(decibels(lines.get(0))).isCloseTo(17, Offset.offset(3.5));
    }

    @Test
    void anEncodingIsSwappedInAModelOfDjl() throws Exception {
        List<String> lines = run("SwapEncodingInDjlModel");
        assertThat(lines).hasSize(3);
        // The same sums in another order.
        assertThat(change(lines.get(1))).isLessThan(1e-6);
        assertThat(change(lines.get(2))).isGreaterThan(0.01);
    }

    @Test
    void theAnalysisOfAnEncodingAgreesWithTheory() throws Exception {
        List<String> lines = run("AnalyseAnEncoding");
        assertThat(lines).hasSize(1 + 3);
        for (String row : lines.subList(1, 4)) {
            double[] cells =
                    Stream.of(row.strip().split(" +"))
                            .skip(1)
                            .mapToDouble(cell -> Double.parseDouble(cell.replace(',', '.')))
                            .toArray();
            // A line has ends where the circle of the theory has none.
            assertThat(cells[0]).isCloseTo(cells[1], Percentage.withPercentage(10));
            assertThat(cells[2]).isCloseTo(cells[3], Percentage.withPercentage(10));
        }
    }

    private static double change(String line) {
        return Double.parseDouble(line.substring(12).strip());
    }

    private static double decibels(String line) {
        return Double.parseDouble(line.substring(9, line.length() - 3).strip());
    }
}
