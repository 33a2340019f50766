package org.posenc.experiment.extrapolation;

import ai.djl.ndarray.NDManager;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.posenc.encoding.Positions;
import org.posenc.training.PositionSampler;

/**
 * Where the tokens of a training row stand: one after the other, or spread over the longest context
 * that is measured, so that its positions have all been seen.
 */
public enum TrainedPositions {
    /** 0, 1, 2, … */
    CONSECUTIVE {
        @Override
        Optional<PositionSampler> sampler(int range) {
            return Optional.empty();
        }
    },
    /** Sorted samples of all positions, {@link PositionSampler.Randomized}. */
    RANDOMIZED {
        @Override
        Optional<PositionSampler> sampler(int range) {
            return Optional.of(new PositionSampler.Randomized(range));
        }
    },
    /** Two pieces with a gap between them, {@link PositionSampler.SkipWise}. */
    POSE {
        @Override
        Optional<PositionSampler> sampler(int range) {
            return Optional.of(new PositionSampler.SkipWise(range, 2));
        }
    };

    private static final long MEASURED = 0x5EED; // the same in every measurement

    abstract Optional<PositionSampler> sampler(int range);

    /**
     * Returns where tokens stand when a decoder is measured: randomized positions stay randomized,
     * as Ruoss et al. read with them too; otherwise tokens stand one after the other.
     *
     * @param length T
     * @return (T)
     */
    Positions read(NDManager manager, int length, int range) {
        if (this != RANDOMIZED) {
            return Positions.range(manager, 0, length);
        }
        long[] drawn =
                sampler(range)
                        .orElseThrow()
                        .positions(new int[length], new SplittableRandom(MEASURED + length));
        return Positions.of(manager.create(drawn));
    }

    static TrainedPositions named(String name) {
        return Arrays.stream(values())
                .filter(one -> one.toString().equals(name))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "positions of training are "
                                                + Arrays.stream(values())
                                                        .map(TrainedPositions::toString)
                                                        .collect(Collectors.joining(", "))
                                                + ", got \""
                                                + name
                                                + "\""));
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
