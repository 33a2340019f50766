package org.posenc.experiment.extrapolation;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.posenc.experiment.Results;
import org.posenc.report.Cell;
import org.posenc.report.Column;
import org.posenc.report.Measurement;
import org.posenc.report.Table;

/** What the literature says of length extrapolation, beside what was measured here. */
final class Findings {

    private static final double CLEAR = 0.1; // nats that no reader would call noise

    private final Results text;
    private final Results puzzles;
    private final double tunedFactor;
    private final List<List<Cell>> rows = new ArrayList<>();

    /**
     * Looks at results.
     *
     * @param text readings of text
     * @param puzzles readings of puzzles
     * @param tunedFactor at how many times L decoders were tuned
     */
    Findings(Results text, Results puzzles, double tunedFactor) {
        this.text = text;
        this.puzzles = puzzles;
        this.tunedFactor = tunedFactor;
    }

    /** Returns the findings that these results say something about; empty where there is none. */
    Optional<Table> table() {
        directBreaks();
        interpolationBlurs();
        ntkDegradesLater();
        searchFindsBetter();
        windowsReadOn();
        trainedToReadOn();
        yarnAfterTuning();
        baseMatters();
        flatAndBreaking();
        sorting();
        return rows.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        new Table(
                                "The literature and these measurements",
                                List.of(
                                        Column.label("finding"),
                                        Column.label("source"),
                                        Column.label("measured"),
                                        Column.label("here")),
                                rows));
    }

    private void directBreaks() {
        measured("rope", LengthMethod.DIRECT, "loss1x", "loss2x", "loss4x")
                .ifPresent(
                        loss ->
                                add(
                                        "RoPE read beyond its training length breaks soon",
                                        "Press 2022, Chen 2023",
                                        "loss %.2f at 1×, %.2f at 2×, %.2f at 4×"
                                                .formatted(loss[0], loss[1], loss[2]),
                                        loss[2] > loss[0] + 5 * CLEAR));
    }

    private void interpolationBlurs() {
        Optional<double[]> linear = measured("rope", "linear", "loss1x", "loss2x");
        Optional<double[]> ntk = measured("rope", "ntk-aware", "loss2x");
        if (linear.isPresent() && ntk.isPresent()) {
            double[] loss = linear.get();
            add(
                    "position interpolation without tuning blurs: worse than at 1×, and worse than"
                            + " NTK-aware at 2×",
                    "Chen 2023, bloc97 2023",
                    "interpolation %.2f at 2× (%.2f at 1×), NTK-aware %.2f"
                            .formatted(loss[1], loss[0], ntk.get()[0]),
                    loss[1] > loss[0] + CLEAR && loss[1] > ntk.get()[0]);
        }
    }

    private void ntkDegradesLater() {
        Optional<double[]> direct = measured("rope", LengthMethod.DIRECT, "loss2x");
        Optional<double[]> ntk = measured("rope", "ntk-aware", "loss2x", "loss8x");
        if (direct.isPresent() && ntk.isPresent()) {
            double[] loss = ntk.get();
            add(
                    "NTK-aware scaling degrades later than direct extrapolation, but degrades",
                    "bloc97 2023, Peng 2023",
                    "NTK-aware %.2f at 2×, %.2f at 8×; direct %.2f at 2×"
                            .formatted(loss[0], loss[1], direct.get()[0]),
                    loss[0] < direct.get()[0] && loss[1] > loss[0] + CLEAR);
        }
    }

    private void searchFindsBetter() {
        Optional<Best> searched = best(zeroShot(), List.of(LengthMethod.SEARCHED), "loss8x");
        Optional<Best> formula =
                best(zeroShot(), List.of("linear", "ntk-aware", "dynamic", "yarn"), "loss8x");
        if (searched.isPresent() && formula.isPresent()) {
            add(
                    "without tuning, LongRoPE's searched divisors read farther than any formula",
                    "Ding 2024",
                    "at 8×: %s, best formula %s".formatted(searched.get(), formula.get()),
                    searched.get().loss < formula.get().loss);
        }
    }

    /** RoPE that is prepared for a longer context while it is trained at L. */
    private void trainedToReadOn() {
        prepared(
                "rope @pose",
                "positions that skip some in training (PoSE) let RoPE read what it never saw",
                "Zhu 2023");
        prepared(
                "rope nope-every 2",
                "RoPE in every other layer reads farther than in all",
                "Yang 2025 (2501.18795)");
    }

    private void prepared(String encoding, String finding, String source) {
        Optional<double[]> plain = measured("rope", LengthMethod.DIRECT, "loss8x");
        Optional<double[]> prepared = measured(encoding, LengthMethod.DIRECT, "loss1x", "loss8x");
        if (plain.isPresent() && prepared.isPresent()) {
            double[] loss = prepared.get();
            add(
                    finding,
                    source,
                    "loss %.2f at 1×, %.2f at 8×; RoPE %.2f at 8×"
                            .formatted(loss[0], loss[1], plain.get()[0]),
                    loss[1] < plain.get()[0] - CLEAR);
        }
    }

    private void windowsReadOn() {
        List<String> frequencies =
                List.of(
                        "linear",
                        "ntk-aware",
                        "ntk-mixed",
                        "dynamic",
                        "ntk-by-parts",
                        "yarn",
                        LengthMethod.SEARCHED);
        Optional<double[]> rerope = measured("rope", "rerope", "loss8x");
        Optional<Best> best = best(zeroShot(), frequencies, "loss8x");
        if (rerope.isPresent() && best.isPresent()) {
            add(
                    "without tuning, a window (ReRoPE) reads farther than any change of frequencies",
                    "Su 2023 (kexue.fm 9708)",
                    "at 8×: ReRoPE %.2f, best frequencies %s"
                            .formatted(rerope.get()[0], best.get()),
                    rerope.get()[0] < best.get().loss);
        }
    }

    private void yarnAfterTuning() {
        Results tuned = text.with("stage", "tuned").with("encoding", "rope");
        String quantity = Measured.at("loss", tunedFactor);
        Optional<Best> best = best(tuned, tuned.values("method"), quantity);
        Measurement yarn = tuned.with("method", "yarn").mean(quantity);
        Measurement linear = tuned.with("method", "linear").mean(quantity);
        if (best.isPresent() && finite(yarn) && finite(linear)) {
            add(
                    "after a short tuning YaRN is best (here: within the spread over seeds)",
                    "Peng 2023",
                    "at %s×: YaRN %s, interpolation %s, best %s"
                            .formatted(
                                    Measured.times(tunedFactor),
                                    yarn.text(3),
                                    linear.text(3),
                                    best.get()),
                    yarn.mean() <= best.get().loss + Math.max(0.02, yarn.spread()));
        }
    }

    private void baseMatters() {
        List<String> bases =
                zeroShotOf(text).values("encoding").stream()
                        .filter(name -> name.equals("rope") || name.startsWith("rope base "))
                        .toList();
        if (bases.size() > 1) {
            List<String> shown = new ArrayList<>();
            double least = Double.POSITIVE_INFINITY;
            double most = Double.NEGATIVE_INFINITY;
            for (String base : bases) {
                Optional<double[]> loss = measured(base, LengthMethod.DIRECT, "loss1x", "loss8x");
                if (loss.isPresent()) {
                    shown.add("%s %.2f → %.2f".formatted(base, loss.get()[0], loss.get()[1]));
                    least = Math.min(least, loss.get()[1]);
                    most = Math.max(most, loss.get()[1]);
                }
            }
            add(
                    "a small or a very large base changes how RoPE extrapolates",
                    "Liu 2023 (2310.05209)",
                    "1× → 8×: " + String.join("; ", shown),
                    most > least + CLEAR);
        }
    }

    private void flatAndBreaking() {
        flat("alibi", "ALiBi", "Press 2022");
        flat("kerple", "KERPLE", "Chi 2022");
        flat("fox", "FoX (forget gates)", "Lin 2025");
        measured("sinusoidal", LengthMethod.DIRECT, "loss1x", "loss2x")
                .ifPresent(
                        loss ->
                                add(
                                        "sinusoids break at once",
                                        "Press 2022",
                                        "loss %.2f at 1×, %.2f at 2×".formatted(loss[0], loss[1]),
                                        loss[1] > loss[0] + 2 * CLEAR));
    }

    private void flat(String encoding, String name, String source) {
        measured(encoding, LengthMethod.DIRECT, "loss1x", "loss8x")
                .ifPresent(
                        loss ->
                                add(
                                        name + " stays flat",
                                        source,
                                        "loss %.2f at 1×, %.2f at 8×".formatted(loss[0], loss[1]),
                                        loss[1] - loss[0] < CLEAR));
    }

    private void sorting() {
        Results sort = zeroShotOf(puzzles).with("workload", "sort");
        List<String> order = List.of("none", "t5", "alibi", "rope", "sinusoidal");
        List<Measurement> exact =
                order.stream()
                        .map(
                                name ->
                                        sort.with("encoding", name)
                                                .with("method", LengthMethod.DIRECT)
                                                .mean("exact1.4x"))
                        .toList();
        if (exact.stream().allMatch(Findings::finite)) {
            double relative = Math.min(exact.get(0).mean(), exact.get(1).mean());
            add(
                    "sorting longer lists: NoPE and T5 before ALiBi before RoPE before sinusoids",
                    "Kazemnejad 2023",
                    "exact at 1.4×: "
                            + String.join(
                                    ", ",
                                    Stream.iterate(0, i -> i + 1)
                                            .limit(order.size())
                                            .map(i -> order.get(i) + " " + exact.get(i).text(2))
                                            .toList()),
                    relative >= exact.get(2).mean()
                            && exact.get(2).mean() >= exact.get(3).mean()
                            && exact.get(3).mean() >= exact.get(4).mean());
        }
    }

    private record Best(String name, double loss) {

        @Override
        public String toString() {
            return String.format(Locale.ROOT, "%s %.3f", name, loss);
        }
    }

    private Results zeroShot() {
        return zeroShotOf(text).with("encoding", "rope");
    }

    private static Results zeroShotOf(Results results) {
        return results.with("stage", "at once");
    }

    private static Optional<Best> best(Results results, List<String> methods, String quantity) {
        return methods.stream()
                .map(name -> new Best(name, results.with("method", name).mean(quantity).mean()))
                .filter(best -> Double.isFinite(best.loss))
                .min(Comparator.comparingDouble(Best::loss));
    }

    /** The means of quantities, if all were measured. */
    private Optional<double[]> measured(String encoding, String method, String... quantities) {
        Results found = zeroShotOf(text).with("encoding", encoding).with("method", method);
        double[] means =
                Stream.of(quantities).mapToDouble(name -> found.mean(name).mean()).toArray();
        return Stream.of(quantities).allMatch(name -> finite(found.mean(name)))
                ? Optional.of(means)
                : Optional.empty();
    }

    private static boolean finite(Measurement measurement) {
        return Double.isFinite(measurement.mean());
    }

    private void add(String finding, String source, String measured, boolean holds) {
        rows.add(
                List.of(
                        new Cell.Text(finding),
                        new Cell.Text(source),
                        new Cell.Text(measured),
                        new Cell.Text(holds ? "holds" : "does not hold")));
    }
}
