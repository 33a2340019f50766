package org.posenc.experiment.reproduction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.posenc.experiment.Progress;
import org.posenc.report.Provenance;

class ReproductionTest {

    @TempDir private Path out;

    /** Every recipe at a size that says nothing but whether it runs. */
    private static List<Recipe> tiny() {
        SigmaSweep.Sigmas sigmas = new SigmaSweep.Sigmas(0.2, 2, 3, true);
        return List.of(
                new Layers(new Layers.Size(8, 8, 4, 2, 1, 1, "")),
                new OneLinearLayer(
                        new OneLinearLayer.Size(100, 3, 20, 3, new int[] {1, 16}, 2, 1, "")),
                new SigmaSweep(new SigmaSweep.Size(20, 3, new int[] {1, 16}, sigmas, 2, 2, "")),
                new TradeOff(
                        new TradeOff.Size(
                                100, new int[] {1, 5, 10, 20}, 20, new int[] {50}, 3, 1, "")),
                new Variance1d(new Variance1d.Size(new int[] {10, 20}, 3, 2, "")),
                new Variance2d(new Variance2d.Size(16, new int[] {100, 200}, 8, 3, 2, "")),
                new Qualitative(
                        new Qualitative.Size(
                                20, 3, 1, 16, new double[] {0.1, 0.05}, 20, 8, 3, "")));
    }

    private static final class Heard implements Progress {

        private long all;
        private long before;
        private long advanced;
        private final List<String> trials = new ArrayList<>();

        @Override
        public synchronized void started(long steps, long done) {
            all = steps;
            before = done;
        }

        @Override
        public synchronized void advanced(long steps) {
            advanced += steps;
        }

        @Override
        public synchronized void finished(String trial) {
            trials.add(trial);
        }
    }

    private ReproductionReport run(List<Recipe> recipes, long seed, Progress progress) {
        Setting setting =
                new Setting(new Subject.Synthetic(1), seed, OptionalInt.empty(), Device.cpu());
        ReproductionPlan plan = new ReproductionPlan(recipes, Scale.SMALL, setting);
        Provenance provenance =
                Provenance.now("posenc reproduce", seed, plan.settings(), Map.of(), "cpu");
        return Reproduction.run(plan, out, provenance, progress);
    }

    @Test
    void everyRecipeRunsIsDrawnAndJudged() throws IOException {
        Heard heard = new Heard();
        ReproductionReport report = run(tiny(), 1, heard);
        assertThat(heard.before).isZero();
        assertThat(heard.advanced).isEqualTo(heard.all);
        assertThat(heard.trials).hasSize(Files.readAllLines(out.resolve("results.jsonl")).size());
        assertThat(report.claims().stream().map(Claim::number).distinct())
                .containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 15);
        assertThat(report.claims())
                .filteredOn(claim -> claim.number() != 5) // nothing memorises in three steps
                .noneMatch(claim -> Double.isNaN(claim.here()));
        assertThat(report.text(140).lines()).allMatch(line -> line.length() <= 140);
        String page = Files.readString(report.page());
        for (Recipe recipe : tiny()) {
            assertThat(page).contains(recipe.about().summary());
            assertThat(out.resolve(recipe.name() + "-1.png")).isNotEmptyFile();
        }
        assertThat(Files.readAllLines(out.resolve("claims.csv")))
                .hasSize(1 + report.claims().size());
        for (String claim : report.text(1000).split("\n")) {
            assertThat(claim).doesNotContain("…  "); // nothing cut off
        }
    }

    @Test
    void whatIsFinishedIsNotRunAgainUnlessItsPicturesAreGone() throws IOException {
        List<Recipe> recipes = List.of(tiny().get(6));
        ReproductionReport first = run(recipes, 1, new Heard());
        Heard again = new Heard();
        ReproductionReport second = run(recipes, 1, again);
        assertThat(again.before).isEqualTo(again.all);
        assertThat(again.trials).isEmpty();
        assertThat(second.claims()).isEqualTo(first.claims());

        try (Stream<Path> fits = Files.list(out.resolve("fits"))) {
            Files.delete(fits.sorted().findFirst().orElseThrow());
        }
        Heard mended = new Heard();
        run(recipes, 1, mended);
        assertThat(mended.trials).hasSize(1);

        Heard other = new Heard();
        run(recipes, 2, other);
        assertThat(other.before).isZero();
    }

    @Test
    void everyScaleHasTheSameRecipes() {
        List<String> small = Recipes.all(Scale.SMALL).stream().map(Recipe::name).toList();
        assertThat(Recipes.all(Scale.PAPER)).extracting(Recipe::name).isEqualTo(small);
        assertThat(small).doesNotHaveDuplicates();
        for (Scale scale : Scale.values()) {
            for (Recipe recipe : Recipes.all(scale)) {
                assertThat(recipe.about().cost()).isNotBlank();
                assertThat(recipe.about().source()).startsWith("20");
                assertThat(recipe.about().summary()).doesNotContain("\n");
                assertThat(recipe.about().size())
                        .doesNotContain("@"); // no record that forgot an array
            }
        }
    }

    @Test
    void aTrialSaysWhatItTries() {
        assertThatThrownBy(() -> new Trial(Map.of(), 1, progress -> null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a trial must have a label");
        assertThatThrownBy(() -> new Trial(Map.of("a", "b"), 0, progress -> null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("got 0");
    }
}
