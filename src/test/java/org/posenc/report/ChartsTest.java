package org.posenc.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.awt.Color;
import java.awt.Font;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChartsTest {

    private static final List<String> ENCODINGS =
            List.of("none", "learned", "sinusoidal", "fourier", "gaussian", "rope", "alibi", "t5");

    @TempDir private Path folder;

    private static Set<Integer> colours(BufferedImage image) {
        return IntStream.range(0, image.getWidth() * image.getHeight())
                .map(i -> image.getRGB(i % image.getWidth(), i / image.getWidth()) & 0xffffff)
                .boxed()
                .collect(Collectors.toSet());
    }

    @Test
    void everyEncodingIsDrawnInItsColour() throws Exception {
        Path file = folder.resolve("losses.png");
        Png.write(Demo.losses(), file);
        Set<Integer> drawn = colours(ImageIO.read(file.toFile()));
        assertThat(ENCODINGS)
                .allSatisfy(
                        name ->
                                assertThat(drawn)
                                        .contains(Palette.of(name).colour().getRGB() & 0xffffff));
        assertThat(colours(Demo.ranks().toImage()))
                .contains(Palette.of("rope").colour().getRGB() & 0xffffff);
    }

    /** By the contrast ratio of WCAG 2. */
    @ParameterizedTest
    @ValueSource(ints = {0xffffff, 0x1a1e25})
    void coloursStandOutOnLightAndDark(int paper) {
        assertThat(ENCODINGS)
                .allSatisfy(
                        name -> {
                            double line = luminance(Palette.of(name).colour());
                            double ground = luminance(new Color(paper));
                            double contrast =
                                    (Math.max(line, ground) + 0.05)
                                            / (Math.min(line, ground) + 0.05);
                            assertThat(contrast).isGreaterThan(2.5);
                        });
    }

    private static double luminance(Color colour) {
        float[] rgb = colour.getRGBColorComponents(null);
        double[] linear = new double[3];
        Arrays.setAll(
                linear,
                i -> rgb[i] <= 0.04045 ? rgb[i] / 12.92 : Math.pow((rgb[i] + 0.055) / 1.055, 2.4));
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    }

    @Test
    void aFamilySharesItsHueAndNoTwoMembersALook() {
        List<String> names =
                List.of(
                        "fourier",
                        "random-fourier",
                        "linear-frequencies",
                        "log-frequencies",
                        "gaussian",
                        "triangle",
                        "square",
                        "sine",
                        "rectangle",
                        "impulse",
                        "noise");
        assertThat(names.stream().map(Palette::of).distinct()).hasSize(names.size());
        assertThat(names.stream().map(name -> Palette.of(name).symbol()).distinct()).hasSize(2);
        assertThat(Palette.of("rope (yarn)").colour()).isEqualTo(Palette.of("rope").colour());
        assertThat(Palette.of("my own")).isEqualTo(Palette.of("my own"));
    }

    @Test
    void linesOfNamesThatSayNoEncodingAreToldApart() {
        List<String> names =
                List.of("N = 256", "none", "σ = 0.1", "σ = 0.05", "σ = 0.01", "theory", "random");
        assertThat(names.stream().map(name -> Palette.of(name, names).colour()).distinct())
                .hasSize(names.size());
        assertThat(Palette.of("none", names)).isEqualTo(Palette.of("none"));
        assertThat(Palette.of("rope (yarn)", List.of("rope (yarn)")))
                .isEqualTo(Palette.of("rope (yarn)"));
    }

    /** Values of Matplotlib's viridis. */
    @ParameterizedTest
    @CsvSource({"0, 440154", "0.25, 3b528b", "0.5, 21918c", "0.75, 5ec962", "1, fde725"})
    void viridisIsViridis(double share, String hex) {
        Color expected = new Color(Integer.parseInt(hex, 16));
        Color colour = new Color(ColourMap.VIRIDIS.rgb(share));
        assertThat(colour.getRed()).isCloseTo(expected.getRed(), within(4));
        assertThat(colour.getGreen()).isCloseTo(expected.getGreen(), within(4));
        assertThat(colour.getBlue()).isCloseTo(expected.getBlue(), within(4));
    }

    @Test
    void aHeatMapHasItsFirstRowOnTop() {
        double[][] values = {{0, 1, Double.NaN}, {-5, 0.5, 7}};
        HeatMap map = HeatMap.of("m", "x", "y", values, 0, 1, ColourMap.VIRIDIS);
        values[0][0] = 1;
        BufferedImage image = map.toImage();
        int left = 96;
        int top = 64;
        int cell = 560 / 3;
        int[][] expected = {
            {0x440154, 0xfde725, 0xbfc3c9},
            {0x440154, ColourMap.VIRIDIS.rgb(0.5), 0xfde725}
        };
        for (int row = 0; row < 2; row++) {
            for (int column = 0; column < 3; column++) {
                int rgb =
                        image.getRGB(left + column * cell + cell / 2, top + row * cell + cell / 2);
                assertThat(rgb & 0xffffff).isEqualTo(expected[row][column]);
            }
        }
    }

    @Test
    void logarithmicAxesAreLabelledAtPowersOfWhatTheySpan() {
        assertThat(labels(Axis.log("x"), 3.4, 45)).containsExactly("4", "8", "16", "32");
        assertThat(labels(Axis.log("x"), 64, 1024))
                .containsExactly("64", "128", "256", "512", "1024");
        assertThat(labels(Axis.log("x"), 0.02, 300)).containsExactly("0.1", "1", "10", "100");
        assertThat(labels(Axis.linear("x"), 1, 3)).containsExactly("1", "2", "3");
        assertThat(labels(Axis.categories("x", List.of("a", "b")), 0, 1)).containsExactly("a", "b");
    }

    /** What stands at whole places between two values. */
    private static List<String> labels(Axis axis, double from, double to) {
        Scale scale = Scale.of(axis, DoubleStream.of(from, to));
        return IntStream.rangeClosed(
                        (int) Math.ceil(scale.place(from) - 1e-9),
                        (int) Math.floor(scale.place(to) + 1e-9))
                .mapToObj(scale::label)
                .toList();
    }

    /**
     * XChart rounds the distance of ticks to one, two, five or ten, from 0.75, 1.5, 3.5, 7.5 on.
     */
    @Test
    void ticksStandAtPowersWhereTwoAreInSight() {
        Scale doublings = Scale.of(Axis.log("x"), DoubleStream.of(3.4, 45));
        double powers = Math.log(45 / 3.4) / Math.log(2);
        assertThat(doublings.spacing(44, 400) * powers / 400).isBetween(0.95, 1.0);
        Scale within = Scale.of(Axis.log("x"), DoubleStream.of(1.2, 1.4));
        assertThat(within.spacing(44, 400)).isEqualTo(44);
        assertThat(within.label(within.place(1.25))).isEqualTo("1.25");
        Scale many = Scale.of(Axis.log("x"), DoubleStream.of(1e-12, 1));
        assertThat(many.spacing(44, 400)).isEqualTo(44);
        assertThat(Scale.of(Axis.linear("x"), DoubleStream.of(3, 45)).spacing(44, 400))
                .isEqualTo(44);
    }

    private static Stream<Figure> figuresOfLittle() {
        Axis log = Axis.log("x");
        Series bad = Series.of("bad", new double[] {0, 1, 2}, new double[] {Double.NaN, 0, -1});
        Series one = Series.of("one", new double[] {3}, new double[] {2});
        Series flat = Series.of("flat", new double[] {1, 2}, new double[] {0.1, 0.1});
        Series infinite =
                new Series(
                        "infinite",
                        List.of(1.0, 2.0),
                        List.of(1.0, Double.POSITIVE_INFINITY),
                        List.of(5.0, Double.NaN));
        return Stream.of(
                new LineChart("nothing", log, log, List.of()),
                new LineChart("nothing to show", log, log, List.of(bad)),
                new LineChart("one point", log, Axis.linear("y"), List.of(one)),
                new LineChart("flat", Axis.linear("x"), Axis.linear("y"), List.of(flat)),
                new LineChart("infinite", log, log, List.of(infinite, bad, one, flat)),
                new ScatterChart("nothing", log, log, List.of()),
                new ScatterChart("one", log, log, List.of(new ScatterChart.Point("a", 1, 1))),
                HeatMap.of("NaN", "x", "y", new double[][] {{Double.NaN}}),
                HeatMap.of("constant", "x", "y", new double[][] {{2, 2}}),
                HeatMap.of("tall", "x", "y", new double[3000][2]),
                new Table("empty", List.of(Column.label("a")), List.of()));
    }

    @ParameterizedTest
    @MethodSource("figuresOfLittle")
    void littleOrNothingToShowIsNoError(Figure figure) {
        assertThat(figure.toImage().getWidth()).isPositive();
        assertThat(figure.toHtml()).startsWith("<figure").doesNotContain("NaN,", "Infinity");
    }

    @Test
    void refusesWhatCannotBeDrawn() {
        assertThatThrownBy(() -> HeatMap.of("m", "x", "y", new double[][] {{1}, {1, 2}}))
                .hasMessage("the rows of a heat map must be equally long, the first has 1");
        assertThatThrownBy(
                        () -> HeatMap.of("m", "x", "y", new double[1][1], 1, 1, ColourMap.VIRIDIS))
                .hasMessage("the range of a heat map must be finite and not empty, got 1.0 … 1.0");
        assertThatThrownBy(() -> Series.of("s", new double[2], new double[3]))
                .hasMessage("series \"s\" must have as many y and spread as x: 2, got 3 and 0");
        Series line = Series.of("s", new double[1], new double[1]);
        assertThatThrownBy(
                        () ->
                                new LineChart(
                                        "t",
                                        Axis.linear("x"),
                                        Axis.linear("y"),
                                        List.of(line, line)))
                .hasMessage("the names of series must be distinct, got [s, s]");
    }

    @Test
    void aNoteIsBrokenBetweenWordsWhereItWouldReachIntoTheNextPicture() {
        Font font = Canvas.font(Font.PLAIN, 14);
        String note = "22.52 ± 0.15 dB held out, 27.09 ± 0.51 trained";
        assertThat(Canvas.metrics(font).stringWidth(note)).isGreaterThan(240);
        List<String> lines = Canvas.wrapped(note, font, 240);
        assertThat(lines).hasSizeGreaterThan(1);
        assertThat(String.join(" ", lines)).isEqualTo(note);
        assertThat(lines).allMatch(line -> Canvas.metrics(font).stringWidth(line) <= 240);
    }
}
