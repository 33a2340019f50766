package org.posenc.report;

import java.awt.image.BufferedImage;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.DoubleBinaryOperator;
import java.util.stream.IntStream;

/** A page like that of a comparison, with made-up numbers of a plausible shape. */
final class Demo {

    private static final int SEED = 7;
    private static final int SEEDS = 3;

    /** Loss at 1×, 2×, 4×, 8×; stable rank; training PSNR and held-out PSNR. */
    private static final Map<String, double[]> NUMBERS = new LinkedHashMap<>();

    static {
        NUMBERS.put("none", new double[] {3.412, 3.468, 3.721, 4.218, 1.0, 16.2, 16.1});
        NUMBERS.put("learned", new double[] {3.355, 4.871, 5.904, 6.512, 118, 17.4, 15.0});
        NUMBERS.put("sinusoidal", new double[] {3.338, 3.906, 4.835, 5.622, 2.9, 22.9, 20.8});
        NUMBERS.put("fourier", new double[] {3.347, 4.012, 4.977, 5.480, 6.4, 27.5, 24.1});
        NUMBERS.put("gaussian", new double[] {3.341, 4.420, 5.213, 5.977, 71, 33.8, 27.9});
        NUMBERS.put("rope", new double[] {3.251, 3.377, 3.842, 4.610, 24, Double.NaN, Double.NaN});
        NUMBERS.put(
                "alibi", new double[] {3.268, 3.241, 3.229, 3.226, 9.1, Double.NaN, Double.NaN});
        NUMBERS.put("t5", new double[] {3.262, 3.250, 3.302, 3.418, 12.7, Double.NaN, Double.NaN});
    }

    private Demo() {}

    static List<ResultRow> rows() {
        Random random = new Random(SEED);
        List<ResultRow> rows = new ArrayList<>();
        NUMBERS.forEach(
                (name, n) -> {
                    for (int seed = 0; seed < SEEDS; seed++) {
                        Map<String, Double> values = new LinkedHashMap<>();
                        values.put(
                                "parameters", 1_216_512.0 + (name.equals("learned") ? 16_384 : 0));
                        values.put("time", 21 + random.nextGaussian());
                        values.put("stable rank", n[4]);
                        for (int i = 0; i < 4; i++) {
                            double spread = 0.015 + 0.06 * (n[i] - 3.2);
                            values.put((1 << i) + "×", n[i] + spread * random.nextGaussian());
                        }
                        rows.add(new ResultRow(name + seed, Map.of("encoding", name), values));
                    }
                });
        return rows;
    }

    static Table table() {
        return Table.summary(
                "Held-out loss at 1×, 2×, 4× and 8× the training length of 128 tokens",
                List.of(
                        Column.label("encoding"),
                        Column.value("parameters", "", 0),
                        Column.value("time", "s", 1),
                        Column.value("stable rank", "", 1),
                        Column.value("1×", "nats", 3),
                        Column.value("2×", "nats", 3),
                        Column.value("4×", "nats", 3),
                        Column.value("8×", "nats", 3)),
                rows());
    }

    static LineChart losses() {
        Table table = table();
        List<Series> series =
                table.rows().stream()
                        .map(
                                row ->
                                        Series.of(
                                                row.get(0).text(0),
                                                IntStream.range(4, 8)
                                                        .mapToObj(c -> (Measurement) row.get(c))
                                                        .toList()))
                        .toList();
        return new LineChart(
                "Held-out loss against context length",
                Axis.categories(
                        "context, multiples of the training length",
                        List.of("1×", "2×", "4×", "8×")),
                Axis.linear("loss (nats per token)"),
                series);
    }

    static HeatMap[] similarities() {
        Map<String, DoubleBinaryOperator> kernels = new LinkedHashMap<>();
        Random random = new Random(SEED);
        double[][] table = new double[64][16];
        for (double[] row : table) {
            for (int i = 0; i < row.length; i++) {
                row[i] = random.nextGaussian() / 4;
            }
        }
        kernels.put(
                "learned",
                (i, j) ->
                        IntStream.range(0, 16)
                                .mapToDouble(k -> table[(int) i][k] * table[(int) j][k])
                                .sum());
        kernels.put("sinusoidal", (i, j) -> waves(i - j, 16));
        kernels.put(
                "fourier", (i, j) -> Math.exp(-Math.pow((i - j) / 14, 2)) * Math.cos((i - j) / 5));
        kernels.put("gaussian", (i, j) -> Math.exp(-Math.pow((i - j) / 4, 2)));
        kernels.put("rope", (i, j) -> waves(i - j, 32) * 0.9);
        kernels.put("alibi", (i, j) -> i < j ? Double.NaN : 1 - (i - j) / 32);
        return kernels.entrySet().stream()
                .map(
                        kernel ->
                                HeatMap.of(
                                        kernel.getKey(),
                                        "key position",
                                        "query position",
                                        matrix(kernel.getValue()),
                                        -1,
                                        1,
                                        ColourMap.DIVERGING))
                .toArray(HeatMap[]::new);
    }

    private static double waves(double distance, int count) {
        return IntStream.range(0, count)
                .mapToDouble(k -> Math.cos(distance * Math.pow(10_000, -(double) k / count)))
                .average()
                .orElseThrow();
    }

    private static double[][] matrix(DoubleBinaryOperator kernel) {
        double[][] values = new double[64][64];
        for (int i = 0; i < 64; i++) {
            for (int j = 0; j < 64; j++) {
                values[i][j] = kernel.applyAsDouble(i, j);
            }
        }
        return values;
    }

    static LineChart spectra() {
        Map<String, DoubleBinaryOperator> decays = new LinkedHashMap<>();
        decays.put("learned", (k, r) -> 11 - 0.068 * k);
        decays.put("sinusoidal", (k, r) -> 70 * Math.pow(k, -0.9) * Math.exp(-Math.pow(k / 24, 3)));
        decays.put("fourier", (k, r) -> 40 * Math.exp(-k / 9) + 1e-3);
        decays.put("gaussian", (k, r) -> 14 / (1 + Math.pow(k / 60, 8)));
        decays.put("rope", (k, r) -> 30 * Math.pow(k, -0.45) * Math.exp(-k / 60));
        return LineChart.spectrum(
                "Singular values of 128 positions",
                decays.entrySet().stream()
                        .map(
                                decay ->
                                        Series.counted(
                                                decay.getKey(),
                                                IntStream.rangeClosed(1, 128)
                                                        .mapToObj(
                                                                k ->
                                                                        Math.max(
                                                                                1e-5,
                                                                                decay.getValue()
                                                                                        .applyAsDouble(
                                                                                                k,
                                                                                                0)))
                                                        .toList()))
                        .toList());
    }

    static ScatterChart ranks() {
        return new ScatterChart(
                "Stable rank against held-out loss at 1×",
                Axis.log("stable rank"),
                Axis.linear("loss (nats per token)"),
                NUMBERS.entrySet().stream()
                        .map(
                                e ->
                                        new ScatterChart.Point(
                                                e.getKey(), e.getValue()[4], e.getValue()[0]))
                        .toList());
    }

    static ImageGrid images() {
        List<ImageGrid.Picture> pictures = new ArrayList<>();
        pictures.add(new ImageGrid.Picture("original", "128 × 128 pixels", image(1)));
        NUMBERS.forEach(
                (name, n) -> {
                    if (!Double.isNaN(n[5])) {
                        pictures.add(
                                new ImageGrid.Picture(
                                        name,
                                        "%.1f dB trained, %.1f dB held out".formatted(n[5], n[6]),
                                        image(Math.max(1, (int) (38 - n[6]) / 2))));
                    }
                });
        return new ImageGrid("The fitted images", pictures);
    }

    /** Rings and stripes, the coarser the larger the step. */
    private static BufferedImage image(int step) {
        BufferedImage image = new BufferedImage(128, 128, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < 128; y++) {
            for (int x = 0; x < 128; x++) {
                double u = (x / step * step - 64) / 64.0;
                double v = (y / step * step - 64) / 64.0;
                double ring = 0.5 + 0.5 * Math.cos(18 * (u * u + v * v));
                double stripe = 0.5 + 0.5 * Math.sin(5 * u + 3 * v);
                int red = (int) (60 + 180 * ring * stripe);
                int green = (int) (50 + 140 * stripe);
                int blue = (int) (90 + 130 * (1 - ring));
                image.setRGB(x, y, red << 16 | green << 8 | blue);
            }
        }
        return image;
    }

    static Provenance provenance() {
        Map<String, String> configuration = new LinkedHashMap<>();
        configuration.put("layers", "4");
        configuration.put("width", "256");
        configuration.put("training length", "128");
        configuration.put("steps", "300");
        return new Provenance(
                "java -jar target/posenc.jar compare --seeds 3 --seed 7 --out out",
                SEED,
                configuration,
                Map.of("posenc", "0.1.0-SNAPSHOT", "DJL", "0.35.1", "PyTorch", "2.7.1"),
                "cpu",
                Optional.of("692c6b9d41aa"),
                Instant.parse("2026-11-21T06:00:00Z"));
    }

    static HtmlPage page() {
        return HtmlPage.builder()
                .title("Which positional encoding should I take?")
                .lead(
                        "For texts no longer than those of training, take rope: it has the lowest"
                                + " loss. If texts grow beyond that, take alibi, whose loss falls as"
                                + " the context grows to 8×. For an image, take gaussian features:"
                                + " they keep the most detail on pixels that were not trained on.")
                .card("lowest loss at 1×", "rope", "3.25 nats, 0.09 below learned")
                .card("lowest loss at 8×", "alibi", "3.23 nats, the only one that falls")
                .card("sharpest image", "gaussian", "27.9 dB held out")
                .card("trials", "24", "8 encodings, 3 seeds each")
                .section(
                        "Length",
                        "Each model was trained at 128 tokens and then read up to 8 times as many."
                                + " The same target tokens are scored throughout, and bands show the"
                                + " spread over seeds.",
                        losses())
                .section(
                        "Results",
                        "All trials, mean ± standard deviation over seeds. Press a heading to sort.",
                        table())
                .section(
                        "Which positions look alike",
                        "How much the encoding of one position resembles that of another. A narrow"
                                + " diagonal tells neighbours apart; a broad one lets the model"
                                + " generalise between them.",
                        similarities())
                .section(
                        "Spectra",
                        "Singular values of the encoding of all training positions. A long plateau"
                                + " means many independent directions, a steep fall few.",
                        spectra())
                .section(
                        "Stable rank and quality",
                        "Stable rank counts the directions an encoding really uses. Too few cannot"
                                + " tell positions apart; too many memorise.",
                        ranks())
                .section(
                        "Fitting an image",
                        "A coordinate network was trained on every second pixel. Both figures are"
                                + " peak signal-to-noise ratios, higher is better.",
                        images())
                .provenance(provenance())
                .build();
    }
}
