package org.posenc.experiment.reproduction;

import ai.djl.Device;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.LongStream;
import org.posenc.experiment.Positive;

/**
 * What all recipes of a reproduction share.
 *
 * @param subject the image that is fitted
 * @param seed the first seed
 * @param seeds how many; empty for as many as the recipe takes at its size
 * @param device where to compute
 */
public record Setting(Subject subject, long seed, OptionalInt seeds, Device device) {

    /** Checks the values. */
    public Setting {
        if (seeds.isPresent()) {
            Positive.check(seeds.getAsInt(), "seeds");
        }
        if (seed > Long.MAX_VALUE - Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "the seed must leave room for further seeds, got " + seed);
        }
    }

    /**
     * Returns the seeds of a recipe.
     *
     * @param usual how many it takes where none are asked for
     * @return consecutive seeds from the first on
     */
    public List<Long> seeds(int usual) {
        return LongStream.range(seed, seed + seeds.orElse(usual)).boxed().toList();
    }
}
