package org.posenc.analysis;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.posenc.encoding.rope.Default;
import org.posenc.encoding.rope.Proportional;
import org.posenc.encoding.rope.RopeFrequencies;
import org.posenc.encoding.rope.RopeParameters;
import org.posenc.encoding.rope.RopePrecision;
import org.posenc.encoding.rope.RopeScaling;

/**
 * What RoPE's parameters are worth at a length, before anything is run: each pair's wavelength
 * against the trained length, the critical dimension, the context that the base can carry, and how
 * well neighbouring positions can still be told apart.
 */
public final class RopeAnalysis {

    /** Interpolation to exactly the trained length stays within it. */
    private static final double ROUNDING = 1e-9;

    private final RopeParameters parameters;
    private final long trainedLength;
    private final long length;
    private final RopeFrequencies unscaled;
    private final RopeFrequencies scaled;

    private RopeAnalysis(RopeParameters parameters, long trainedLength, long length) {
        this.parameters = parameters;
        this.trainedLength = trainedLength;
        this.length = length;
        RopeScaling plain =
                parameters.scaling() instanceof Proportional proportional
                        ? new Proportional(proportional.part(), 1)
                        : new Default();
        unscaled =
                plain.frequencies(
                        parameters.rotaryDimension(), parameters.base(), 1, RopePrecision.EXACT);
        scaled = parameters.frequencies(length, RopePrecision.EXACT);
    }

    /**
     * Analyses RoPE.
     *
     * @param parameters what decides its angles
     * @param trainedLength L, the length of the pre-training in tokens, with unscaled frequencies;
     *     at least 1
     * @param length n, the length it is to be used at, at least 1
     * @return the analysis, in double precision
     */
    public static RopeAnalysis of(RopeParameters parameters, long trainedLength, long length) {
        if (trainedLength < 1) {
            throw new IllegalArgumentException(
                    "the trained length must be at least 1, got " + trainedLength);
        }
        return new RopeAnalysis(parameters, trainedLength, length);
    }

    /**
     * Returns what is analysed.
     *
     * @return the parameters
     */
    public RopeParameters parameters() {
        return parameters;
    }

    /**
     * Returns the length of the pre-training.
     *
     * @return L, in tokens
     */
    public long trainedLength() {
        return trainedLength;
    }

    /**
     * Returns the length of use.
     *
     * @return n, in tokens
     */
    public long length() {
        return length;
    }

    /**
     * Returns the frequencies of the pre-training: those of the base, unscaled.
     *
     * @return d/2 frequencies
     */
    public RopeFrequencies unscaled() {
        return unscaled;
    }

    /**
     * Returns the frequencies at the length of use.
     *
     * @return d/2 frequencies and the attention scaling
     */
    public RopeFrequencies scaled() {
        return scaled;
    }

    /**
     * Returns what became of each pair.
     *
     * @return d/2 pairs, from the fastest
     */
    public List<Pair> pairs() {
        double[] before = unscaled.inverse();
        double[] after = scaled.inverse();
        List<Pair> pairs = new ArrayList<>();
        for (int i = 0; i < before.length; i++) {
            double turns = trainedLength * before[i] / (2 * Math.PI);
            boolean further = length * after[i] > trainedLength * before[i] * (1 + ROUNDING);
            boolean unseen = turns < 1 && further;
            pairs.add(new Pair(before[i], after[i], turns, unseen));
        }
        return pairs;
    }

    /**
     * Returns how many components turned fully in pre-training.
     *
     * @return d_c, from 0 to d, {@link CriticalDimension}
     */
    public int criticalDimension() {
        return CriticalDimension.of(unscaled.inverse(), trainedLength);
    }

    /**
     * Returns up to which length the scaled frequencies can be tuned.
     *
     * @return in tokens, {@link CriticalDimension#extrapolationLimit}
     */
    public double extrapolationLimit() {
        return CriticalDimension.extrapolationLimit(scaled.inverse(), criticalDimension());
    }

    /**
     * Returns the first distance at which a query no longer prefers a key like itself, with the
     * scaled frequencies.
     *
     * @param limit the greatest distance to look at
     * @return m, or empty if there is none up to the limit, {@link ContextBound}
     */
    public OptionalLong contextBound(long limit) {
        return ContextBound.firstNegative(scaled.inverse(), unturned(), limit);
    }

    /**
     * Returns the smallest base that carries a context with unscaled frequencies.
     *
     * @param target the greatest distance
     * @return b, or empty if no base is enough, {@link ContextBound#smallestBase}
     */
    public OptionalDouble smallestBase(long target) {
        return ContextBound.smallestBase(parameters.rotaryDimension(), unturned(), target);
    }

    /**
     * Returns what the scaling leaves of the angle between neighbouring positions.
     *
     * @return scaled over unscaled {@link RopeDecay#neighbourAngle}: 1 where nothing is lost, about
     *     1/s for position interpolation by s
     */
    public double resolution() {
        return RopeDecay.neighbourAngle(scaled.inverse())
                / RopeDecay.neighbourAngle(unscaled.inverse());
    }

    private int unturned() {
        return parameters.headDimension() - parameters.rotaryDimension();
    }

    /**
     * One pair.
     *
     * @param unscaled its frequency in pre-training, in radians per position
     * @param scaled its frequency at the length of use
     * @param turns how often it turned within the trained length
     * @param reachesUnseenAngles whether positions up to the length of use take it to angles that
     *     no trained position did, which needs a pair that did not turn fully
     */
    public record Pair(double unscaled, double scaled, double turns, boolean reachesUnseenAngles) {

        /**
         * Returns after how many positions it repeats at the length of use.
         *
         * @return 2π/θ, infinite for a pair that does not turn
         */
        public double wavelength() {
            return 2 * Math.PI / scaled;
        }

        /**
         * Tells whether it made a full turn in pre-training.
         *
         * @return whether it turned at least once
         */
        public boolean turnedFully() {
            return turns >= 1;
        }
    }
}
