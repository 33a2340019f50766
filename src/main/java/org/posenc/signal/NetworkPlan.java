package org.posenc.signal;

import java.util.List;
import java.util.Objects;
import org.posenc.encoding.Kronecker;
import org.posenc.encoding.PositionFeatures;
import org.posenc.model.CoordinateActivation;
import org.posenc.model.CoordinateMlp;

/**
 * All that decides a coordinate network but its parameters.
 *
 * @param encodings one of all M coordinates (simple), or for a complex encoding one of 1 coordinate
 *     for each axis
 * @param complex whether the encoding is the Kronecker product of the axes' features
 * @param depth hidden layers, at least 0
 * @param width their size, at least 1
 * @param activation what stands between the layers
 * @param outputs C, the values at a point, at least 1
 * @param sigmoid whether outputs are squeezed into (0, 1)
 */
public record NetworkPlan(
        List<ChosenEncoding> encodings,
        boolean complex,
        int depth,
        int width,
        CoordinateActivation activation,
        int outputs,
        boolean sigmoid) {

    /** Checks the values. */
    public NetworkPlan {
        if (encodings == null
                || encodings.isEmpty()
                || encodings.stream().anyMatch(Objects::isNull)) {
            throw new IllegalArgumentException("a network needs an encoding");
        }
        encodings = List.copyOf(encodings);
        if (!complex && encodings.size() != 1) {
            throw new IllegalArgumentException(
                    "a simple network has one encoding, got " + encodings.size());
        }
        if (complex && encodings.stream().anyMatch(e -> e.space().positionDimension() != 1)) {
            throw new IllegalArgumentException(
                    "the encodings of a complex network are each of 1 coordinate");
        }
        if (depth < 0 || width < 1 || outputs < 1 || activation == null) {
            throw new IllegalArgumentException(
                    "a network needs a depth of at least 0, a width and outputs of at least 1 and"
                            + " an activation, got depth "
                            + depth
                            + ", width "
                            + width
                            + ", outputs "
                            + outputs
                            + ", activation "
                            + activation);
        }
    }

    /**
     * Returns the number of coordinates of a point.
     *
     * @return M
     */
    public int axes() {
        return complex ? encodings.size() : encodings.get(0).space().positionDimension();
    }

    /**
     * Makes the network.
     *
     * @param seed draws its initial weights
     * @return a new block, not initialised
     * @throws IllegalArgumentException if an encoding does not exist or a setting is wrong
     */
    public CoordinateMlp network(long seed) {
        return CoordinateMlp.builder()
                .setFeatures(features())
                .optDepth(depth)
                .optWidth(width)
                .optActivation(activation)
                .optOutputs(outputs)
                .optSigmoid(sigmoid)
                .optSeed(seed)
                .build();
    }

    private PositionFeatures features() {
        if (!complex) {
            return encodings.get(0).features();
        }
        if (encodings.stream().distinct().count() == 1) {
            return Kronecker.of(encodings.get(0).features(), encodings.size());
        }
        return Kronecker.of(
                encodings.stream().map(ChosenEncoding::features).toArray(PositionFeatures[]::new));
    }
}
