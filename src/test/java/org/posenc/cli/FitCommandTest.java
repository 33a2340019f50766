package org.posenc.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.posenc.report.Npy;
import org.posenc.signal.ImageFormat;
import org.posenc.signal.Signal;
import org.posenc.signal.SignalFile;
import org.posenc.signal.WaveFormat;

class FitCommandTest {

    @TempDir private Path folder;

    private Console fit(Path file, String... options) {
        List<String> all =
                new ArrayList<>(List.of("fit", file.toString(), "--out", out().toString()));
        all.addAll(List.of(options));
        return Console.run(all.toArray(String[]::new));
    }

    private Path out() {
        return folder.resolve("new/out");
    }

    /** A smooth image of some waves. */
    private static Signal waves(int height, int width, int channels) {
        float[] values = new float[height * width * channels];
        for (int n = 0; n < values.length; n++) {
            double y = (double) (n / channels / width) / height;
            double x = (double) (n / channels % width) / width;
            values[n] = (float) (0.5 + 0.4 * Math.sin(9 * x + 4 * y + n % channels));
        }
        return new Signal(new int[] {height, width}, channels, values);
    }

    private Path image() {
        Path file = folder.resolve("waves.png");
        new ImageFormat(ImageFormat.Container.PNG, 16, true, true).write(waves(12, 16, 4), file);
        return file;
    }

    private List<Path> written(String name) throws IOException {
        try (Stream<Path> all = Files.walk(out())) {
            return all.filter(path -> path.getFileName().toString().equals(name)).toList();
        }
    }

    @Test
    void anImageOfSixteenBitsWithAlphaIsFittedAndWrittenAlike() throws IOException {
        Console console = fit(image(), "--upscale", "2");
        assertThat(console.code()).isZero();
        assertThat(console.out()).contains("unseen (dB)", "gaussian", "SSIM", "page: ");
        assertThat(console.out().lines().limit(8)).allMatch(line -> line.length() <= 100);
        SignalFile read = SignalFile.read(written("reconstruction.png").get(0));
        assertThat(read.format().description()).isEqualTo("16-bit RGBA PNG");
        assertThat(read.signal().sides()).containsExactly(12, 16);
        SignalFile larger = SignalFile.read(written("upscaled-2.png").get(0));
        assertThat(larger.signal().sides()).containsExactly(24, 32);
        assertThat(written("error.png")).hasSize(1);
        assertThat(written("signal.posenc")).hasSize(1);
        String page = Files.readString(out().resolve("index.html"));
        assertThat(page).contains("waves.png", "Side by side", "sigma = ", "spacings of samples");
        assertThat(Files.readAllLines(out().resolve("results.jsonl"))).hasSize(1);
    }

    @Test
    void whatIsThereIsNotFittedAgain() throws IOException {
        Path file = image();
        fit(file, "--encoding", "gaussian");
        Path first = written("reconstruction.png").get(0);
        Files.setLastModifiedTime(first, FileTime.fromMillis(1000));
        Console console = fit(file, "--encoding", "gaussian,triangle");
        assertThat(console.code()).isZero();
        assertThat(Files.getLastModifiedTime(first)).isEqualTo(FileTime.fromMillis(1000));
        assertThat(Files.readAllLines(out().resolve("results.jsonl"))).hasSize(2);
        assertThat(Files.readString(out().resolve("index.html"))).contains("Where they are wrong");
    }

    @Test
    void aSoundIsFittedInTilesAndPlaysAsFast() throws IOException {
        float[] values = new float[2 * 300];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (0.5 + 0.3 * Math.sin(i / 2 * 0.2 + i % 2));
        }
        Path file = folder.resolve("tone.wav");
        new WaveFormat(8000, 2, false, 16, -1).write(new Signal(new int[] {300}, 2, values), file);
        Console console = fit(file, "--tile", "160", "--upscale", "3");
        assertThat(console.code()).isZero();
        assertThat(console.out()).doesNotContain("SSIM");
        SignalFile larger = SignalFile.read(written("upscaled-3.wav").get(0));
        assertThat(larger.signal().samples()).isEqualTo(900);
        assertThat(((WaveFormat) larger.format()).sampleRate()).isEqualTo(24000);
        assertThat(written("error.wav")).hasSize(1);
        assertThat(Files.readString(out().resolve("index.html"))).contains("Frequencies");
    }

    @Test
    void tablesAndVolumesAreFittedToo() throws IOException {
        StringBuilder table = new StringBuilder("t,a,b\n");
        for (int i = 0; i < 40; i++) {
            table.append(i * 0.5).append(',').append(Math.sin(i * 0.2)).append(",5\n");
        }
        Path csv = Files.writeString(folder.resolve("table.csv"), table);
        assertThat(fit(csv).code()).isZero();
        List<String> lines = Files.readAllLines(written("reconstruction.csv").get(0));
        assertThat(lines).hasSize(41);
        assertThat(lines.get(0)).isEqualTo("t,a,b");
        assertThat(lines.get(3)).startsWith("1,0.3").endsWith("5");
        assertThat(Files.readString(out().resolve("index.html"))).contains("The whole signal: a");

        Path npy = folder.resolve("volume.npy");
        Npy.of(waves(8 * 9, 10, 1).values(), 8, 9, 10).write(npy);
        assertThat(fit(npy, "--encoding", "triangle").code()).isZero();
        assertThat(Npy.read(written("reconstruction.npy").get(0)).shape())
                .containsExactly(8, 9, 10);
        assertThat(Files.readString(out().resolve("index.html"))).contains("Slices: triangle");
    }

    @ParameterizedTest
    @CsvSource({
        "--encoding, gaussian, every-2, 8",
        "--encoding, random-fourier, random-0.5, 3",
        "--simple, '', every-2, 8",
        "--simple, '', random-0.5, 8",
    })
    void deepNetworksAreTrained(String option, String value, String sampling, int steps)
            throws IOException {
        List<String> options =
                new ArrayList<>(
                        List.of(
                                "--depth",
                                "1",
                                "--width",
                                "8",
                                "--steps",
                                "" + steps,
                                "--batch",
                                "20",
                                "--sampling",
                                sampling,
                                option));
        if (!value.isEmpty()) {
            options.add(value);
        }
        Console console = fit(image(), options.toArray(String[]::new));
        assertThat(console.code()).isZero();
        assertThat(console.out()).contains(steps + " steps of 20 samples");
        boolean larger = Files.size(written("signal.posenc").get(0)) > Files.size(image());
        String said = "The small file is larger than waves.png with its ";
        assertThat(console.out().contains(said)).isEqualTo(larger);
        String page = Files.readString(out().resolve("index.html"));
        assertThat(page.contains(said)).isEqualTo(larger);
        assertThat(page).contains(larger ? "× larger than" : "× smaller than");
        assertThat(out().resolve("pictures/training.png")).exists();
    }

    @Test
    void featuresThatCannotTellNeighboursApartAreSaidToBeTooWide() throws IOException {
        String said = "gaussian:sigma=5 is too wide for these samples: all but";
        assertThat(fit(image(), "--encoding", "gaussian:sigma=5").out()).contains(said);
        assertThat(Files.readString(out().resolve("index.html"))).contains(said);
        assertThat(fit(image(), "--encoding", "gaussian:sigma=0.05").out())
                .doesNotContain("too wide");
        assertThat(fit(image()).out()).doesNotContain("too wide");
    }

    @Test
    void whatIsSaidOfAnEncodingIsTrueOfIt() {
        assertThat(fit(image(), "--encoding", "rectangle:width=0.3;mirrored=false").out())
                .contains("mirrored = false, width = 0.3, as it was asked for");
        assertThat(fit(image(), "--encoding", "rectangle").out())
                .contains("axis 2 the encoding's own standard for 8 samples");
    }

    /** What is exact has no error, and a file of a few numbers is mostly about them. */
    @Test
    void aConstantIsExactAndItsFileSmallAnyway() throws IOException {
        Path npy = folder.resolve("constant.npy");
        Npy.of(new float[8], 8, 1).write(npy);
        Console console = fit(npy);
        assertThat(console.out())
                .contains("larger than constant.npy with its 160 bytes: most of it says what");
        assertThat(Files.readString(out().resolve("index.html")))
                .contains("∞ dB")
                .doesNotContain("Infinity dB");
    }

    @Test
    void yardsticksOfTheFieldAreFitted() {
        Console siren =
                fit(
                        image(),
                        "--simple",
                        "--encoding",
                        "none",
                        "--activation",
                        "sine",
                        "--depth",
                        "2",
                        "--width",
                        "16",
                        "--steps",
                        "3");
        assertThat(siren.code()).isZero();
        assertThat(siren.out()).contains("none").contains("Sine");
        Console grid =
                fit(image(), "--simple", "--encoding", "hash-grid", "--depth", "1", "--steps", "2");
        assertThat(grid.code()).isZero();
        Console diagonals =
                fit(
                        image(),
                        "--simple",
                        "--encoding",
                        "gaussian:directions=axes-and-diagonals",
                        "--sampling",
                        "random-0.5",
                        "--depth",
                        "1",
                        "--steps",
                        "2");
        assertThat(diagonals.err()).doesNotContain("posenc fit:");
        assertThat(diagonals.code()).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "--encoding, gausian, 'did you mean \"gaussian\"'",
        "--encoding, gaussian:sigma=0, sigma must be positive",
        "--encoding, gaussian:sigma=-1, sigma must be positive",
        "--encoding, gaussian:sigma=nan, must be a number",
        "--encoding, gaussian:sigma, NAME:KEY=VALUE",
        "--encoding, gaussian:wide=3, unknown setting",
        "--encoding, rope, acts inside attention",
        "--encoding, 'gaussian,gaussian', each once",
        "--encoding, hash-grid, 'is learnt, so it has no closed form'",
        "--depth, 9, depth must be 0 to 8",
        "--depth, -1, depth must be 0 to 8",
        "--width, 0, width must be at least 1",
        "--features, 0, features must be at least 1",
        "--features, 7, ",
        "--activation, tanh, 'must be relu, sine, gaussian or finer'",
        "--activation, sine:fast, needs a number",
        "--activation, gaussian:0, must be positive",
        "--activation, relu:3, relu takes no number",
        "--steps, 0, steps and batch must be at least 1",
        "--batch, 0, steps and batch must be at least 1",
        "--learning-rate, 0, the learning rate must be positive",
        "--regularization, much, must be cut-off=PART",
        "--regularization, cut-off=2, at least 0 and below 1",
        "--regularization, ridge=x, needs a number",
        "--sampling, every-0, got every 0",
        "--sampling, random-2, above 0 and at most 1",
        "--tile, -2, tile must be at least 1",
        "--upscale, 0, upscale must be 1 to 64",
        "--loss, -1, may lose 0 to 20",
        "--channels, some, --channels",
        "--device, tpu, --device must be",
        "--out, LICENSE/out, cannot write",
    })
    void badInputIsOneSentenceAndLeavesNothing(String option, String value, String sentence) {
        Path file = image();
        String name = option.equals("--features") ? "random-fourier" : "gaussian";
        Console console =
                option.equals("--out")
                        ? Console.run("fit", file.toString(), option, value)
                        : option.equals("--encoding")
                                ? fit(file, option, value)
                                : fit(file, "--encoding", name, option, value);
        console.assertBadInput();
        assertThat(console.err()).contains(sentence == null ? "" : sentence);
        assertThat(folder.resolve("new")).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource({
        "--simple --closed-form, a simple encoding",
        "--depth 1 --closed-form, got depth 1",
        "--closed-form --steps 5, takes neither --steps",
        "--complex --simple, mutually exclusive",
    })
    void whatExcludesEachOtherIsSaid(String options, String sentence) {
        Console console = fit(image(), options.split(" "));
        console.assertBadInput();
        assertThat(console.err()).contains(sentence);
        assertThat(folder.resolve("new")).doesNotExist();
    }

    @Test
    void whatIsNoSignalIsSaid() throws IOException {
        Path text = Files.writeString(folder.resolve("notes.png"), "hello");
        fit(text).assertBadInput();
        Path missing = folder.resolve("none.wav");
        assertThat(fit(missing).err()).contains("there is no file");
        Path nan = folder.resolve("nan.npy");
        Npy.of(new double[] {1, 2, Double.NaN, 4}, 2, 2).write(nan);
        assertThat(fit(nan).err()).contains("must hold finite numbers, got NaN as number 2 of 4");
        Path tiny = folder.resolve("tiny.npy");
        Npy.of(new double[] {0, 1, 0, 1}, 2, 2).write(tiny);
        assertThat(fit(tiny).err()).contains("at least 4 samples along an axis");
    }

    @Test
    void anUpscaleThatDoesNotFitIsRefusedWithTheNumberThatDoes() throws IOException {
        Path large = folder.resolve("large.npy");
        Npy.of(new float[1 << 20], 1 << 10, 1 << 10).write(large);
        Console console = fit(large, "--upscale", "64");
        console.assertBadInput();
        assertThat(console.err())
                .contains("upscaled 64 times", "has 4294967296 values", "at most")
                .containsPattern("upscaled \\d+ times \\(java -Xmx gives more\\)");
        assertThat(folder.resolve("new")).doesNotExist();
    }
}
