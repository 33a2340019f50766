package org.posenc.experiment.reproduction;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Function;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.posenc.encoding.FourierFeatures;
import org.posenc.experiment.Progress;
import org.posenc.experiment.Results;
import org.posenc.report.Provenance;
import org.posenc.report.ResultRow;
import org.posenc.signal.DeadLeaves;
import org.posenc.signal.Signal;

class FollowUpTest {

    private static final Progress SILENT = new Unheard();

    @TempDir private Path out;

    /** Every recipe at a size that says nothing but whether it runs. */
    private static List<Recipe> tiny() {
        FollowUp.Size plane = new FollowUp.Size(16, 8, 3, 2, 2, 0.01, 1, "");
        FollowUp.Size volume = new FollowUp.Size(8, 8, 3, 2, 2, 0.01, 1, "");
        return List.of(
                new Plane(plane),
                new PlaneRandom(plane),
                new Volume(volume),
                new VolumeRandom(new FollowUp.Size(16, 8, 3, 2, 2, 0.01, 1, "")),
                new Speed(new Speed.Size(16, 3, 3, 1, "")));
    }

    @Test
    void everyRecipeRunsIsDrawnAndJudged() throws Exception {
        Setting setting =
                new Setting(new Subject.Synthetic(1), 1, OptionalInt.empty(), Device.cpu());
        ReproductionPlan plan = new ReproductionPlan(tiny(), Scale.SMALL, setting);
        Provenance provenance =
                Provenance.now("posenc reproduce", 1, plan.settings(), Map.of(), "cpu");
        ReproductionReport report = Reproduction.run(plan, out, provenance, SILENT);
        assertThat(report.claims().stream().map(Claim::number).distinct())
                .containsExactly(9, 10, 11, 12, 13, 14, 16);
        assertThat(report.claims()).noneMatch(claim -> Double.isNaN(claim.here()));
        // What is exact holds at any size and after any number of steps.
        assertThat(report.claims())
                .filteredOn(
                        claim ->
                                claim.number() == 16
                                        || claim.sentence().contains("best sum f(x) + g(y)"))
                .hasSize(2)
                .allMatch(Claim::holds);
        String page = Files.readString(report.page());
        for (Recipe recipe : tiny()) {
            assertThat(page).contains(recipe.about().summary());
            assertThat(out.resolve(recipe.name() + "-1.png")).isNotEmptyFile();
        }
    }

    /** Features and parameters are the authors' at their side, and go with it. */
    @Test
    void sizesAreTheAuthorsAtTheirSide() {
        for (FollowUp image : List.of(Plane.at(Scale.PAPER), PlaneRandom.at(Scale.PAPER))) {
            assertThat(image.shrunk()).isEqualTo(1);
            assertThat(image.axisFeatures()).isEqualTo(256);
            assertThat(image.shrunkSimpleFeatures()).isEqualTo(512);
        }
        for (FollowUp video : List.of(Volume.at(Scale.PAPER), VolumeRandom.at(Scale.PAPER))) {
            assertThat(video.shrunk()).isEqualTo(1);
            assertThat(video.axisFeatures()).isEqualTo(64);
            assertThat(video.shrunkSimpleFeatures()).isEqualTo(192);
        }
        assertThat(Plane.at(Scale.SMALL).shrunkSimpleFeatures()).isEqualTo(64);
        // 15 of 192, as a multiple of two for each of three axes.
        FollowUp odd = new Volume(new FollowUp.Size(10, 8, 3, 2, 2, 0.01, 1, ""));
        assertThat(odd.shrunkSimpleFeatures()).isEqualTo(18);
    }

    /** Made-up results of a table: each method's PSNR in the order of the encodings. */
    private static Results results(
            FollowUp recipe, Function<Method, double[]> psnr, ResultRow... more) {
        List<ResultRow> rows = new ArrayList<>(List.of(more));
        for (Method method : recipe.methods().keySet()) {
            double[] found = psnr.apply(method);
            for (int i = 0; i < found.length; i++) {
                String code = Code.values()[i].label();
                rows.add(
                        new ResultRow(
                                "row" + rows.size(),
                                Map.of("method", method.label(), "encoding", code),
                                Map.of("testPsnr", found[i])));
            }
        }
        return new Results(rows);
    }

    /** The authors' numbers, where they have some. */
    private static double[] authors(FollowUp recipe, Method method, double... otherwise) {
        double[] psnr = recipe.methods().get(method).psnr();
        return psnr.length > 0 ? psnr : otherwise;
    }

    /** Numbers that contradict everything. */
    private static double[] contrary(Method method) {
        if (method.equals(Method.complex(0))) {
            return new double[] {16, 16, 16, 15, 15};
        }
        if (method.equals(Method.complex(1))) {
            return new double[] {14, 20, 20, 20, 25};
        }
        return method.equals(Method.solved())
                ? new double[] {10, 10, 10, 10, 10}
                : new double[] {20, 21, 22, 23, 24};
    }

    private static ResultRow figure(String name, String quantity, double value) {
        return new ResultRow(name, Map.of("figure", name), Map.of(quantity, value));
    }

    private static List<Integer> failing(List<Claim> claims) {
        return claims.stream().filter(claim -> !claim.holds()).map(Claim::number).toList();
    }

    @Test
    void theAuthorsOwnImagesBearTheirClaimsOut() {
        Plane plane = Plane.at(Scale.SMALL);
        Results good =
                results(
                        plane,
                        method -> authors(plane, method, 20, 20, 20, 24.6, 25.3),
                        figure("along axes", "excess", -0.01),
                        figure("bilinear", "difference", 1e-13));
        assertThat(plane.claims(good)).hasSize(10);
        assertThat(failing(plane.claims(good))).isEmpty();
        Results bad =
                results(
                        plane,
                        FollowUpTest::contrary,
                        figure("along axes", "excess", 0.02),
                        figure("bilinear", "difference", 1e-8));
        assertThat(failing(plane.claims(bad))).hasSize(10);
        assertThat(failing(plane.claims(new Results(List.of())))).hasSize(10);
    }

    @Test
    void theAuthorsOwnVideosDoNotBearOutThatLinearMapsSurpassNetworks() {
        Volume volume = Volume.at(Scale.SMALL);
        Results theirs = results(volume, method -> authors(volume, method, 20, 20, 20, 24.6, 23.4));
        assertThat(failing(volume.claims(theirs))).containsExactly(10);
        assertThat(failing(volume.claims(results(volume, FollowUpTest::contrary)))).hasSize(6);
        VolumeRandom random = VolumeRandom.at(Scale.SMALL);
        Results scattered =
                results(
                        random,
                        method ->
                                method.equals(Method.simple(0))
                                        ? new double[] {13, 13, 13, 13, 13}
                                        : authors(random, method, 24, 24, 24, 24, 24));
        assertThat(failing(random.claims(scattered))).containsExactly(10);
        assertThat(failing(random.claims(results(random, FollowUpTest::contrary)))).hasSize(6);
    }

    @Test
    void randomSamplesOfImagesAreJudgedAlike() {
        PlaneRandom recipe = PlaneRandom.at(Scale.SMALL);
        Plane plane = Plane.at(Scale.SMALL);
        Results good = results(recipe, method -> authors(plane, method, 0, 0, 0, 0, 25.3));
        assertThat(failing(recipe.claims(good))).isEmpty();
        assertThat(failing(recipe.claims(results(recipe, FollowUpTest::contrary)))).hasSize(6);
    }

    @Test
    void speedIsJudgedByRatios() {
        Speed speed = Speed.at(Scale.SMALL);
        assertThat(failing(speed.claims(ratios(43, 50, 919)))).isEmpty();
        assertThat(failing(speed.claims(ratios(9.9, 39, 499)))).containsExactly(14, 14, 14);
        // A method that never came so far has no time.
        assertThat(failing(speed.claims(ratios(43, Double.NaN, 919)))).containsExactly(14);
    }

    private static Results ratios(double step, double equal, double solved) {
        return new Results(
                List.of(
                        new ResultRow(
                                "times",
                                Map.of("of", "image"),
                                Map.of(
                                        "stepRatio", step,
                                        "equalRatio", equal,
                                        "solvedRatio", solved))));
    }

    /** Lines of equal sums alternate around 0, so that no sum of functions takes any of them. */
    @Test
    void theAdditiveFitLeavesWhatNoSumTakes() {
        Signal plane = checkered(0.1, 4, 6);
        assertThat(AdditiveFit.psnr(plane)).isCloseTo(20, Offset.offset(1e-3));
        Signal volume = checkered(0.01, 4, 2, 6);
        assertThat(AdditiveFit.psnr(volume)).isCloseTo(40, Offset.offset(1e-2));
    }

    private static Signal checkered(double step, int... sides) {
        int count = 2;
        for (int side : sides) {
            count *= side;
        }
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            int rest = i / 2;
            int sum = 0;
            double value = i % 2; // the channel
            for (int m = sides.length - 1; m >= 0; m--) {
                int place = rest % sides[m];
                rest /= sides[m];
                sum += place;
                value += Math.sin(place + m);
            }
            values[i] = (float) (value + (sum % 2 == 0 ? step : -step));
        }
        return new Signal(sides, 2, values);
    }

    @Test
    void theCameraPansAndClosesIn() {
        int side = 20;
        double[] image = DeadLeaves.image(2 * side, 3);
        Signal video = MovingPicture.of(new Subject.Synthetic(3), side);
        assertThat(video.sides()).containsExactly(side, side, side);
        for (int c = 0; c < 3; c++) {
            assertThat(video.values()[c]).isEqualTo((float) image[c]);
            // Half way it begins at 0.15 and 0.225 of 40 pixels, and sees 0.6 of them.
            assertThat(video.values()[10 * side * side * 3 + c])
                    .isCloseTo((float) image[3 * (6 * 40 + 9) + c], Offset.offset(1e-6f));
            // Sample 5 of 20 is 6 pixels on.
            assertThat(video.values()[3 * (10 * side * side + 5 * side + 5) + c])
                    .isCloseTo((float) image[3 * (12 * 40 + 15) + c], Offset.offset(1e-6f));
        }
    }

    @Test
    void parametersKeepTheirSizeInSamples() {
        Code.Parameters authors = new Code.Parameters(4.5, 6.5, 42, 2.0 / 256, 0.004);
        double shrunk = 64.0 / 512;
        assertThat(authors.of(Code.LINEAR, shrunk)).isEqualTo(1.5);
        assertThat(authors.of(Code.LOGARITHMIC, shrunk)).isEqualTo(3.5);
        assertThat(authors.of(Code.RANDOM_FOURIER, shrunk)).isEqualTo(5.25);
        assertThat(authors.of(Code.TRIANGLE, shrunk)).isEqualTo(2.0 / 32);
        assertThat(authors.of(Code.GAUSSIAN, shrunk)).isEqualTo(0.032);
        assertThat(Code.GAUSSIAN.simple(0.032, 64, 2, 0).toString()).contains("diagonals");
        assertThat(Code.GAUSSIAN.alongAxes(0.032, 64, 2, 0).separated()).hasSize(2);
        assertThat(Code.RANDOM_FOURIER.axis(5, 32, 1)).isInstanceOf(FourierFeatures.class);
    }
}
