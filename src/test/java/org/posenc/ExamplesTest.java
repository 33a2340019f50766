package org.posenc;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.engine.Engine;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.posenc.kernel.Autograd;

/** The programs of {@code examples}, as a reader would run them. */
class ExamplesTest {

    private int threads;

    @BeforeEach
    void oneThread() {
        Engine.getEngine("PyTorch"); // loads what is asked next
        threads = Autograd.operationThreads();
        Autograd.operationThreads(1); // thousands of small operations
    }

    @AfterEach
    void restoreThreads() {
        Autograd.operationThreads(threads);
    }

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
    void aComplexEncodingShowsAnImageWithoutTraining() throws Exception {
        String line = run("SolveAnImage", "test-data/images/picos-de-europa.png").get(0);
        Matcher numbers = Pattern.compile("rank (\\d+).*: ([\\d.]+) dB").matcher(line);
        assertThat(numbers.find()).isTrue();
        assertThat(Double.parseDouble(numbers.group(1))).isBetween(700.0, 1000.0);
        assertThat(Double.parseDouble(numbers.group(2))).isBetween(24.0, 28.0);
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

    @Test
    void aScalingCarriesALongerContextAndTuningMendsWhatItCosts() throws Exception {
        // One package alone, whose text is more alike than that of all, is learned in few steps.
        List<String> lines = run("ExtendAContext", "src/main/java/org/posenc/encoding");
        double[][] losses = // as trained, linear, NTK-aware, YaRN, YaRN tuned
                lines.stream()
                        .skip(1)
                        .map(line -> line.substring(17).strip().split(" +"))
                        .map(cells -> Stream.of(cells).limit(3))
                        .map(cells -> cells.mapToDouble(ExamplesTest::number).toArray())
                        .toArray(double[][]::new);
        assertThat(losses).hasDimensions(5, 3);
        // What Chen et al. 2023 and Peng et al. 2023 report of large models.
        assertThat(losses[0][2]).isGreaterThan(losses[0][0] + 0.05); // breaks beyond L
        assertThat(losses[1][0]).isGreaterThan(losses[0][0] + 0.05); // blurs within L
        assertThat(losses[3][2]).isLessThan(losses[0][2]).isLessThan(losses[1][2]);
        assertThat(losses[4][2]).isLessThan(losses[3][2]);
    }

    @Test
    void textIsGeneratedFromPromptsOfDifferentLengths() throws Exception {
        List<String> lines = run("GenerateText");
        assertThat(lines).hasSize(6);
        assertThat(lines.get(1)).isEqualTo("There was an Old Man with a beard,");
        assertThat(lines.get(2)).isEqualTo("Who said, \"It is just as I feared!");
        assertThat(lines.get(4)).startsWith("Two Owls").endsWith("  MOST_TOKENS");
        assertThat(lines.get(5)).startsWith("Who said, \"It is").endsWith("  MOST_TOKENS");
    }

    @Test
    void aFolderIsReadStretchedAndWritten(@TempDir Path folder) throws Exception {
        List<String> lines =
                run(
                        "ReadAHuggingFaceFolder",
                        "test-data/goldens/checkpoints/llama_default",
                        folder.toString());
        assertThat(lines.get(0)).endsWith("context 16");
        assertThat(lines.get(1)).endsWith("scaling=Default[]]");
        assertThat(lines.get(2)).isEqualTo("written: context 64");
        assertThat(lines.get(3)).contains("scaling=Yarn[factor=4.0, originalLength=16");
        assertThat(number(lines.get(4).substring(lines.get(4).lastIndexOf(' ')))).isLessThan(1e-5);
        assertThat(folder).isDirectoryContaining("glob:**model.safetensors");
    }

    @Test
    void patchesAreAsAlikeAsTheyAreNear() throws Exception {
        List<String> lines = run("ImagePatches");
        assertThat(lines).hasSize(6 + 6 + 2);
        assertThat(lines.subList(7, 12)).isEqualTo(lines.subList(1, 6));
        assertThat(lines.get(3)).contains("1.000");
        assertThat(lines.get(13)).endsWith("(1, 785, 128)");
    }

    private static double number(String text) {
        return Double.parseDouble(text.strip().replace(',', '.'));
    }

    private static double change(String line) {
        return Double.parseDouble(line.substring(12).strip());
    }

    private static double decibels(String line) {
        return Double.parseDouble(line.substring(9, line.length() - 3).strip());
    }
}
