package org.posenc.cli;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.ParameterStore;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.posenc.analysis.DistanceCurve;
import org.posenc.analysis.EncodingAnalysis;
import org.posenc.analysis.SimilarityKernel;
import org.posenc.analysis.Spectrum;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Settings;
import org.posenc.report.Axis;
import org.posenc.report.HeatMap;
import org.posenc.report.LineChart;
import org.posenc.report.Png;
import org.posenc.report.Series;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code posenc analyze}: what an encoding tells about given positions. */
@Command(
        name = "analyze",
        description =
                "Computes stable rank, spectrum, distance preservation and similarity of an"
                        + " encoding over given positions, as JSON and as a picture.",
        mixinStandardHelpOptions = true)
final class AnalyzeCommand implements Runnable {

    @Mixin private EncodingOptions options;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            description = "A .json file (default: JSON on the standard output).")
    private Path out;

    @Option(
            names = "--picture",
            paramLabel = "FILE",
            description = "Draws similarity, spectrum and distance curve into a .png file.")
    private Path picture;

    @Option(
            names = "--no-matrix",
            description = "Leaves the N x N similarity matrix out of the JSON.")
    private boolean withoutMatrix;

    @Spec private CommandSpec spec;

    /** Analyses and writes. */
    @Override
    public void run() {
        JsonResult.checkName(out, false);
        if (picture != null && !picture.toString().endsWith(".png")) {
            throw new IllegalArgumentException(
                    "--picture must end in .png, got \"" + picture + "\"");
        }
        try (NDManager manager = NDManager.newBaseManager(options.device(), "PyTorch")) {
            ParameterStore parameters = new ParameterStore(manager, false);
            if (options.hasFeatures()) {
                PositionFeatures features = options.features(manager);
                write(
                        features,
                        EncodingAnalysis.of(
                                features, options.array(manager, features), parameters));
            } else {
                PositionalEncoding encoding = options.attention(manager);
                write(
                        encoding,
                        EncodingAnalysis.of(
                                encoding,
                                options.site(),
                                options.array(manager, encoding),
                                options.type(),
                                parameters));
            }
        }
    }

    private void write(Object block, EncodingAnalysis analysis) {
        Spectrum spectrum = analysis.spectrum();
        DataType effective =
                spectrum.precision() == Math.ulp(1.0) ? DataType.FLOAT64 : DataType.FLOAT32;
        Map<String, Object> fields = options.provenance(block, effective);
        fields.put("seam", Settings.nameOf(analysis.seam()));
        fields.put("shape", new long[] {spectrum.rows(), spectrum.columns()});
        fields.put("positions", JsonResult.positions(options.points()));
        fields.put("stable_rank", analysis.stableRank());
        fields.put("effective_rank", spectrum.effectiveRank());
        fields.put("numerical_rank", spectrum.numericalRank());
        Map<String, Object> preservation = new LinkedHashMap<>();
        preservation.put("level", DistanceCurve.LEVEL);
        preservation.put("half_width", analysis.distancePreservation());
        fields.put("distance_preservation", preservation);
        if (block instanceof PositionFeatures features && options.points().fillGrid(extent())) {
            SimilarityKernel.of(features, extent())
                    .ifPresent(kernel -> fields.put("closed_form", closedForm(kernel)));
        }
        fields.put("singular_values", spectrum.singularValues());
        fields.put("curve_at_middle", curve(analysis.atMiddle()));
        fields.put("curve_mean", curve(analysis.mean()));
        if (!withoutMatrix) {
            fields.put("similarity", analysis.similarity());
        }
        if (picture != null) {
            Png.write(drawn(analysis), picture);
        }
        JsonResult.write(fields, out, spec.commandLine().getOut());
    }

    private double extent() {
        return options.unit() ? 1 : options.length();
    }

    /**
     * What theory says of the same grid: of dense copies on a circle, of random frequencies in
     * expectation.
     */
    private Map<String, Object> closedForm(SimilarityKernel kernel) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("stable_rank", kernel.stableRank(options.points().side()));
        double limit = kernel.stableRankLimit();
        if (Double.isFinite(limit)) {
            fields.put("stable_rank_limit", limit);
        }
        fields.put("half_width", kernel.distancePreservation());
        return fields;
    }

    private static Map<String, Object> curve(DistanceCurve curve) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("distance", curve.distances());
        fields.put("similarity", curve.similarities());
        return fields;
    }

    private BufferedImage drawn(EncodingAnalysis analysis) {
        String name = options.encoding().name();
        DistanceCurve middle = analysis.atMiddle();
        DistanceCurve mean = analysis.mean();
        return FigureRow.of(
                HeatMap.of(
                        name + ": similarity of positions",
                        "position",
                        "position",
                        analysis.similarity()),
                LineChart.spectrum(
                        "Singular values, stable rank %.3g".formatted(analysis.stableRank()),
                        List.of(
                                Series.counted(
                                        name,
                                        Arrays.stream(analysis.spectrum().singularValues())
                                                .boxed()
                                                .toList()))),
                new LineChart(
                        "Similarity by distance, half width %.3g"
                                .formatted(analysis.distancePreservation()),
                        Axis.linear("distance"),
                        Axis.linear("similarity"),
                        List.of(
                                Series.of(
                                        "from the middle",
                                        middle.distances(),
                                        middle.similarities()),
                                Series.of("mean", mean.distances(), mean.similarities()))));
    }
}
