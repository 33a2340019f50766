package org.posenc.experiment.reproduction;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.Positions;
import org.posenc.encoding.ShiftedBasis;
import org.posenc.experiment.Results;
import org.posenc.kernel.Autograd;
import org.posenc.signal.Regularization;
import org.posenc.signal.Sampling;
import org.posenc.signal.SeparableFit;
import org.posenc.signal.Signal;

/** Every second pixel of an image in both directions: the follow-up's first table. */
final class Plane extends FollowUp {

    private static final String FIGURE = "figure";
    private static final String ALONG_AXES = "along axes";
    private static final String BILINEAR = "bilinear";
    private static final String EXCESS = "excess";
    private static final String DIFFERENCE = "difference";
    private static final Code.Parameters SIMPLE = new Code.Parameters(5, 5.5, 14, 2.5 / 128, 0.006);
    private static final Code.Parameters COMPLEX =
            new Code.Parameters(4.5, 6.5, 42, 2.0 / 256, 0.004);
    private static final Code.Parameters SOLVED =
            new Code.Parameters(6, 6.5, 42, 1.0 / 256, 0.0025);

    Plane(Size size) {
        super(Medium.IMAGE, size);
    }

    static Plane at(Scale scale) {
        return new Plane(Medium.IMAGE.size(scale, 3));
    }

    @Override
    public About about() {
        return new About(
                "plane",
                "Simple and complex encodings of an image, with and without hidden layers, trained"
                        + " and solved for",
                "2022, table of separable images",
                size.cost(),
                size.toString(),
                "Every second pixel in both directions trains; the PSNR is that of the others."
                        + " Simple triangles and Gaussians stand in four directions, as in the"
                        + " authors' code. Adam's rate is 0.005 for simple encodings and 0.1 for"
                        + " complex ones; at small sizes it is 0.01 for complex ones with a hidden"
                        + " layer, whose few steps would end noisily at 0.1. Parameters and"
                        + " numbers of features are the authors' at 512 pixels and go with the"
                        + " side. Shifted copies fade out behind the last training pixel, which"
                        + " costs 64 pixels 0.5 dB where weights are trained and 1 to 2 dB where"
                        + " they are solved for. Waves are solved for with a cut-off of 1 % of the"
                        + " greatest singular value: without one their weights explode. On small"
                        + " images the draw decides what random frequencies are worth: of 16 along"
                        + " an axis of 64 pixels, eight draws came to 20.7 to 22.4 dB, Gaussians"
                        + " to 23.1; of 128 along an axis of 512 pixels one came to 29.8 dB,"
                        + " Gaussians to 32.5. The authors' numbers are means of four photographs.");
    }

    @Override
    Sampling sampling(long seed) {
        return Sampling.EVERY_SECOND;
    }

    @Override
    Map<Method, Authors> methods() {
        Map<Method, Authors> methods = new LinkedHashMap<>();
        methods.put(Method.simple(0), new Authors(SIMPLE, 14.41, 14.41, 13.50, 15.71, 15.75));
        methods.put(Method.simple(1), new Authors(SIMPLE));
        methods.put(Method.simple(4), new Authors(SIMPLE, 23.91, 24.16, 24.90, 24.13, 24.03));
        methods.put(Method.complex(0), new Authors(COMPLEX, 18.46, 22.03, 21.90, 25.06, 25.36));
        methods.put(Method.complex(1), new Authors(COMPLEX, 25.32, 25.27, 25.35, 25.48, 25.36));
        methods.put(Method.solved(), new Authors(SOLVED));
        return methods;
    }

    @Override
    public List<Trial> trials(Setting setting) {
        List<Trial> trials = new ArrayList<>(super.trials(setting));
        Signal truth = medium.of(setting.subject(), size.side());
        for (Code code : ALL) {
            if (code != Code.RANDOM_FOURIER) { // its directions are not the axes
                trials.add(alongAxes(code, truth, setting));
            }
        }
        for (int width : new int[] {1, 2}) {
            trials.add(bilinear(width, truth, setting));
        }
        return trials;
    }

    /** By how much one linear map of features along the axes surpasses the best sum f(x) + g(y). */
    private Trial alongAxes(Code code, Signal truth, Setting setting) {
        Method linear = Method.simple(0);
        return new Trial(
                Trial.labels(FIGURE, ALONG_AXES, "features", code.label()),
                size.linear(),
                progress -> {
                    double parameter = SIMPLE.of(code, shrunk());
                    Outcome fit =
                            outcome(
                                    linear,
                                    code.alongAxes(parameter, shrunkSimpleFeatures(), 2, 0),
                                    setting.seed(),
                                    truth,
                                    false,
                                    setting.device(),
                                    progress);
                    double bound = AdditiveFit.psnr(everySecond(truth));
                    double train = fit.values().get("trainPsnr");
                    return new Outcome(
                            Map.of("bound", bound, "trainPsnr", train, EXCESS, train - bound),
                            Map.of());
                });
    }

    private static Signal everySecond(Signal image) {
        int n = image.sides()[0];
        int half = (n + 1) / 2;
        float[] values = new float[3 * half * half];
        for (int i = 0; i < values.length; i++) {
            int row = i / 3 / half;
            int column = i / 3 % half;
            values[i] = image.values()[3 * (2 * row * n + 2 * column) + i % 3];
        }
        return new Signal(new int[] {half, half}, 3, values);
    }

    /**
     * How far triangles of a whole number of spacings, complex and solved for, are from bilinear
     * interpolation between the training pixels.
     */
    private Trial bilinear(int width, Signal truth, Setting setting) {
        return new Trial(
                Trial.labels(FIGURE, BILINEAR, "spacings", "" + width),
                1,
                progress -> {
                    Signal known = everySecond(truth);
                    int half = known.sides()[0];
                    int inner = 2 * half - 1; // up to the last training pixel
                    ShiftedBasis axis =
                            ShiftedBasis.builder()
                                    .setBasis(new BasisFunction.Triangle((double) width / half))
                                    .setDimension(half)
                                    .build();
                    double greatest = 0;
                    try (NDManager manager = NDManager.newBaseManager(setting.device(), "PyTorch");
                            Autograd.Scope off = Autograd.off()) {
                        axis.initialize(manager, DataType.FLOAT64, new Shape(1));
                        NDArray a = rows(axis, half, 1.0 / half, manager); // (N, K)
                        NDArray all = rows(axis, inner, 0.5 / half, manager);
                        NDArray samples = known.array(manager).toType(DataType.FLOAT64, false);
                        double[] fitted =
                                SeparableFit.of(
                                                List.of(a, a),
                                                samples,
                                                new Regularization.CutOff(0))
                                        .onGrid(List.of(all, all))
                                        .toDoubleArray();
                        for (int p = 0; p < fitted.length; p++) {
                            double between = between(known, p / 3 / inner, p / 3 % inner, p % 3);
                            greatest = Math.max(greatest, Math.abs(fitted[p] - between));
                        }
                    }
                    progress.advanced(1);
                    return new Outcome(Map.of(DIFFERENCE, greatest), Map.of());
                });
    }

    private static NDArray rows(ShiftedBasis axis, int count, double spacing, NDManager manager) {
        double[] x = new double[count];
        for (int i = 0; i < count; i++) {
            x[i] = i * spacing;
        }
        return axis.features(
                Positions.of(manager.create(x)), new ParameterStore(manager, false), false);
    }

    /** Bilinear interpolation at pixel (i, j) of the whole image. */
    private static double between(Signal known, int i, int j, int channel) {
        int half = known.sides()[0];
        double sum = 0;
        for (int row = i / 2; row <= (i + 1) / 2; row++) {
            for (int column = j / 2; column <= (j + 1) / 2; column++) {
                sum += known.values()[3 * (row * half + column) + channel];
            }
        }
        return sum / ((1 + i % 2) * (1 + j % 2));
    }

    @Override
    public List<Claim> claims(Results results) {
        List<Claim> claims = new ArrayList<>();
        claims.add(
                decibels(
                        9,
                        "what depth 4 adds to simple encodings, least",
                        "8.3",
                        leastGain(results, Method.simple(0), Method.simple(4), ALL),
                        new Rule.AtLeast(2)));
        claims.add(
                decibels(
                        9,
                        "linear maps along the axes over the best sum f(x) + g(y)",
                        "",
                        greatest(results.with(FIGURE, ALONG_AXES), EXCESS),
                        new Rule.AtMost(0.01)));
        claims.addAll(
                aboutComplexity(
                        results, Method.simple(4), new String[] {"0.46", "3.3", "3.2", "0.21"}));
        claims.add(
                decibels(
                        10,
                        "complex linear triangles over the best simple, depth 4",
                        "0.16",
                        test(results, Method.complex(0), Code.TRIANGLE)
                                - best(results, Method.simple(4), ALL),
                        new Rule.AtLeast(0)));
        for (Code code : List.of(Code.GAUSSIAN, Code.TRIANGLE)) {
            claims.add(
                    solvedOverTrained(
                            results,
                            code,
                            code == Code.GAUSSIAN ? "−0.04" : "",
                            new Rule.Between(-1.5, 1.5)));
        }
        claims.add(
                new Claim(
                        16,
                        "solved triangles of 1, 2 spacings, farthest from bilinear",
                        "exact",
                        greatest(results.with(FIGURE, BILINEAR), DIFFERENCE),
                        "",
                        new Rule.AtMost(1e-9)));
        return claims;
    }

    private static double greatest(Results results, String quantity) {
        return results.rows().stream()
                .mapToDouble(row -> row.values().get(quantity))
                .max()
                .orElse(Double.NaN);
    }
}
