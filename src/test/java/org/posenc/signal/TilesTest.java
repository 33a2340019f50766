package org.posenc.signal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.posenc.encoding.Space;
import org.posenc.model.CoordinateActivation;
import org.posenc.model.CoordinateMlp;
import org.posenc.testing.ClosedForm;

class TilesTest {

    private static final Random RANDOM = new Random(4);

    @Test
    void tilesCoverTheSignalOverlapAndBeginWhereTrainingSamplesAre() {
        for (int trial = 0; trial < 200; trial++) {
            int side = 64 + RANDOM.nextInt(3000);
            int longest = 80 + RANDOM.nextInt(400);
            int step = 1 + RANDOM.nextInt(3);
            Tiles tiles = Tiles.of(new int[] {side}, longest, step);
            int end = 0;
            for (int k = 0; k < tiles.count(); k++) {
                int from = tiles.from(k)[0];
                assertThat(from).isGreaterThanOrEqualTo(0);
                if (k > 0) {
                    assertThat(end - from).isGreaterThanOrEqualTo(Tiles.OVERLAP);
                }
                end = from + tiles.tile()[0];
                assertThat(from % step).isZero();
            }
            assertThat(end).isEqualTo(side);
            assertThat(tiles.tile()[0]).isBetween(Math.min(side, longest - step + 1), longest);
        }
        assertThat(Tiles.of(new int[] {100, 300}, 120, 1).count()).isEqualTo(4); // (300 − 32) / 88
        assertThat(Tiles.of(new int[] {100, 300}, 300, 1).count()).isEqualTo(1);
    }

    @Test
    void weightsSumToOneEverywhereAndVanishOutsideTheTile() {
        for (int trial = 0; trial < 50; trial++) {
            int[] sides = {100 + RANDOM.nextInt(900), 100 + RANDOM.nextInt(900)};
            Tiles tiles = Tiles.of(sides, 90 + RANDOM.nextInt(300), 2);
            for (int i = 0; i < 400; i++) {
                double[] x = {RANDOM.nextDouble(), RANDOM.nextDouble()};
                double sum = 0;
                for (int k = 0; k < tiles.count(); k++) {
                    double weight = tiles.weight(k, 0, x[0]) * tiles.weight(k, 1, x[1]);
                    sum += weight;
                    for (int m = 0; m < 2; m++) {
                        if (weight > 0) {
                            assertThat(tiles.local(k, m, x[m])).isBetween(0.0, 1.0);
                        }
                    }
                }
                assertThat(sum).isCloseTo(1, within(1e-14));
            }
        }
    }

    @Test
    void aSignalIsCutWhereTheTilesAre() {
        float[] values = new float[100 * 90 * 2];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        Signal signal = new Signal(new int[] {100, 90}, 2, values);
        Tiles tiles = new Tiles(new int[] {100, 90}, new int[] {40, 50}, 8, 1);
        List<Signal> parts = tiles.cut(signal);
        assertThat(parts).hasSize(tiles.count());
        for (int k = 0; k < parts.size(); k++) {
            int[] from = tiles.from(k);
            assertThat(parts.get(k).sides()).containsExactly(40, 50);
            assertThat(parts.get(k).values()[0]).isEqualTo((from[0] * 90f + from[1]) * 2);
        }
        assertThatThrownBy(() -> tiles.cut(parts.get(0)))
                .hasMessageContaining("100 × 90")
                .hasMessageContaining("40 × 50");
        assertThatThrownBy(() -> new Tiles(new int[] {100}, new int[] {50}, 40, 1))
                .hasMessageContaining("overlap by 40");
    }

    /**
     * Each tile's network has an error of its own at the tile's edges, where an encoding fades;
     * blended, neither the error nor the steps between samples are greater at a seam than inside a
     * tile.
     */
    @Test
    void seamsOfAFittedSmoothImageAreNotSeen() {
        int side = 200;
        float[] values = new float[side * side];
        for (int i = 0; i < values.length; i++) {
            double y = (double) (i / side) / side;
            double x = (double) (i % side) / side;
            values[i] = (float) (0.5 + 0.2 * Math.sin(9 * x + 4 * y) + 0.2 * Math.cos(17 * x * y));
        }
        Signal image = new Signal(new int[] {side, side}, 1, values);
        Tiles tiles = new Tiles(new int[] {side, side}, new int[] {80, 80}, 24, 2);
        ChosenEncoding axis =
                new ChosenEncoding(
                        "gaussian", new Space(1, 40, 40, true, 0), Map.of("sigma", "0.02"));
        NetworkPlan plan =
                new NetworkPlan(
                        List.of(axis, axis), true, 0, 1, new CoordinateActivation.Relu(), 1, false);
        try (NDManager manager = NDManager.newBaseManager()) {
            FittedSignal fitted = ClosedForm.of(image, plan, tiles, manager);
            Signal blended = fitted.sample(Grid.of(side, side), manager);

            // The truth's own steps are taken off: what is left is error.
            double inside = 0;
            double seam = 0;
            double edge = 0;
            for (int i = 0; i < side - 8; i++) { // the image's own last cells fade
                for (int j = 0; j < side - 9; j++) {
                    int at = i * side + j;
                    double step = error(blended, image, at + 1) - error(blended, image, at);
                    double x = (double) j / side;
                    boolean shared = false;
                    for (int k = 0; k < tiles.count(); k++) {
                        double w = tiles.weight(k, 1, x);
                        shared |= w > 0 && w < 1;
                    }
                    if (shared) {
                        seam = Math.max(seam, Math.abs(step));
                    } else {
                        inside = Math.max(inside, Math.abs(step));
                    }
                }
            }
            assertThat(seam).isLessThanOrEqualTo(inside);
            for (int k = 0; k < tiles.count(); k++) {
                Signal part = tiles.cut(image).get(k);
                FittedSignal alone =
                        new FittedSignal(
                                plan,
                                Tiles.whole(80, 80),
                                List.of(fitted.networks().get(k)),
                                fitted.offset());
                Signal own = alone.sample(Grid.of(80, 80), manager);
                for (int at = 0; at < 80 * 80; at++) {
                    edge = Math.max(edge, Math.abs(error(own, part, at)));
                }
            }
            // Without blending the test would see the tiles' edges.
            assertThat(edge).isGreaterThan(20 * seam);

            // The same samples, taken between: as smooth, and equal where both grids meet.
            Signal twice = fitted.sample(Grid.of(2 * side, 2 * side), manager);
            for (int i = 0; i < side; i += 7) {
                for (int j = 0; j < side; j += 7) {
                    assertThat(twice.values()[4 * i * side + 2 * j])
                            .isCloseTo(blended.values()[i * side + j], within(1e-6f));
                }
            }
            // A part is what the whole has there.
            int[] whole = {side, side};
            Grid part = Grid.part(whole, new int[] {50, 60}, new int[] {40, 90}, 40, 90);
            Signal cut = blended.part(new int[] {50, 60}, new int[] {40, 90});
            assertThat(fitted.sample(part, manager).values())
                    .containsExactly(cut.values(), within(1e-6f));
        }
    }

    /** More than is computed at once: the second band's samples are their own. */
    @Test
    void aLongSignalIsComputedInBands() {
        ChosenEncoding axis =
                new ChosenEncoding("gaussian", new Space(1, 4, 4, true, 0), Map.of("sigma", "0.2"));
        NetworkPlan plan =
                new NetworkPlan(
                        List.of(axis), true, 1, 512, new CoordinateActivation.Relu(), 1, false);
        int count = (1 << 15) + 900; // 512 units at each
        try (NDManager manager = NDManager.newBaseManager()) {
            CoordinateMlp network = plan.network(2);
            network.initialize(manager, DataType.FLOAT32, new Shape(1));
            FittedSignal fitted =
                    new FittedSignal(plan, Tiles.whole(64), List.of(network), new float[1]);
            float[] all = fitted.sample(Grid.of(count), manager).values();
            int few = 76; // every so many samples
            float[] some = fitted.sample(Grid.of(count / few), manager).values();
            assertThat(count % few).isZero();
            for (int i = 0; i < some.length; i++) {
                assertThat(all[i * few]).isCloseTo(some[i], within(1e-5f));
            }
            assertThat(some[0]).isNotCloseTo(some[some.length - 9], within(1e-3f));
        }
    }

    private static double error(Signal a, Signal b, int at) {
        return a.values()[at] - (double) b.values()[at];
    }
}
