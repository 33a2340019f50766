package org.posenc.experiment.reproduction;

import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.FourierFeatures;
import org.posenc.encoding.FourierFrequencies;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.ShiftedBasis;

/** The encodings of the follow-up, each with one parameter. */
enum Code {
    /** Sines and cosines of evenly spaced frequencies 1 … 2^p. */
    LINEAR("linear"),
    /** Sines and cosines of geometric frequencies 1 … 2^p. */
    LOGARITHMIC("logarithmic"),
    /** Sines and cosines of random frequencies, N(0, σ²). */
    RANDOM_FOURIER("random-fourier"),
    /** Shifted triangles of half width w; in the plane in four directions where simple. */
    TRIANGLE("triangle"),
    /** Shifted Gaussians of deviation σ; in the plane in four directions where simple. */
    GAUSSIAN("gaussian");

    private static final double LN_2 = Math.log(2);

    private final String label;

    Code(String label) {
        this.label = label;
    }

    /** Returns the encoding's name in tables and figures. */
    String label() {
        return label;
    }

    /** Returns whether it is made of waves. */
    boolean isFourier() {
        return this == LINEAR || this == LOGARITHMIC || this == RANDOM_FOURIER;
    }

    /**
     * The parameters of all encodings in one experiment, at the authors' size.
     *
     * @param linear p
     * @param logarithmic p
     * @param fourier σ in cycles
     * @param triangle w as a part of the side
     * @param gaussian σ as a part of the side
     */
    record Parameters(
            double linear, double logarithmic, double fourier, double triangle, double gaussian) {

        /**
         * Returns an encoding's parameter where the same length in samples is another part of the
         * side.
         *
         * @param code the encoding
         * @param shrunk this side over the authors'
         */
        double of(Code code, double shrunk) {
            return switch (code) {
                case LINEAR -> linear + Math.log(shrunk) / LN_2;
                case LOGARITHMIC -> logarithmic + Math.log(shrunk) / LN_2;
                case RANDOM_FOURIER -> fourier * shrunk;
                case TRIANGLE -> triangle / shrunk;
                case GAUSSIAN -> gaussian / shrunk;
            };
        }
    }

    /** One coordinate, K features, divided by the greatest norm of a row. */
    PositionFeatures axis(double parameter, int features, long seed) {
        return of(parameter, features, 1, ShiftedBasis.Directions.AXES, seed);
    }

    /** Several coordinates, d features side by side, divided by the greatest norm of a row. */
    PositionFeatures simple(double parameter, int features, int axes, long seed) {
        ShiftedBasis.Directions directions =
                axes == 2
                        ? ShiftedBasis.Directions.AXES_AND_DIAGONALS
                        : ShiftedBasis.Directions.AXES;
        return of(parameter, features, axes, directions, seed);
    }

    /** The same with centres along the axes alone. */
    PositionFeatures alongAxes(double parameter, int features, int axes, long seed) {
        return of(parameter, features, axes, ShiftedBasis.Directions.AXES, seed);
    }

    private PositionFeatures of(
            double parameter,
            int features,
            int axes,
            ShiftedBasis.Directions directions,
            long seed) {
        return switch (this) {
            case LINEAR -> waves(new FourierFrequencies.Linear(parameter), features, axes);
            case LOGARITHMIC ->
                    waves(new FourierFrequencies.Logarithmic(parameter), features, axes);
            case RANDOM_FOURIER ->
                    waves(new FourierFrequencies.Random(parameter, seed), features, axes);
            case TRIANGLE ->
                    copies(new BasisFunction.Triangle(parameter), features, axes, directions);
            case GAUSSIAN ->
                    copies(new BasisFunction.Gaussian(parameter), features, axes, directions);
        };
    }

    private static PositionFeatures waves(FourierFrequencies frequencies, int features, int axes) {
        return FourierFeatures.builder()
                .setFrequencies(frequencies)
                .setDimension(features)
                .optPositionDimension(axes)
                .optNormalized(true)
                .build();
    }

    private static PositionFeatures copies(
            BasisFunction basis, int features, int axes, ShiftedBasis.Directions directions) {
        return ShiftedBasis.builder()
                .setBasis(basis)
                .setDimension(features)
                .optPositionDimension(axes)
                .optDirections(directions)
                .optNormalized(true)
                .build();
    }
}
