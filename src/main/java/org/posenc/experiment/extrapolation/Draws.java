package org.posenc.experiment.extrapolation;

import java.util.SplittableRandom;

/** Random numbers of the k-th batch, which depend on the seed and k alone. */
final class Draws {

    private static final long ODD = 0xD1342543DE82EF95L; // keeps the batches of all seeds apart

    private Draws() {}

    static SplittableRandom of(long seed, int k) {
        // Split, as generators whose seeds are a step of their sequence apart give the same
        // numbers.
        return new SplittableRandom(seed * ODD + k).split();
    }
}
