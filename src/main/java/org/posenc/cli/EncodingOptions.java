package org.posenc.cli;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.LearnedTable;
import org.posenc.encoding.NamedEncoding;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Positions;
import org.posenc.encoding.Settings;
import org.posenc.encoding.Site;
import org.posenc.encoding.Space;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of {@code encode} and {@code analyze}: which encoding, of which positions. */
final class EncodingOptions {

    /** What the coordinates are. */
    enum Coordinates {
        /** unit where all lie in [0, 1] and not all are whole numbers, else tokens. */
        AUTO,
        /** Token positions. */
        TOKENS,
        /** Coordinates in [0, 1) of a signal or an image. */
        UNIT
    }

    /** The types that results can have. */
    enum Precision {
        /** Single precision. */
        FLOAT32,
        /** Double precision. */
        FLOAT64
    }

    @Option(
            names = "--encoding",
            required = true,
            paramLabel = "NAME",
            description = "A name of `posenc encodings`.")
    private String name;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "A setting of the encoding; may be given several times.")
    private Map<String, String> settings = new LinkedHashMap<>();

    @Option(
            names = "--positions",
            required = true,
            paramLabel = "LIST|FILE",
            description =
                    "Numbers 0,0.1,0.2; a range FROM:TO or FROM:TO:STEP without its end; or a file,"
                            + " .npy or text: in one line positions on a line, otherwise one point"
                            + " a line.")
    private String positions;

    @Option(
            names = "--dimension",
            paramLabel = "D",
            defaultValue = "64",
            description =
                    "The number of features, or the head dimension of rope (default:"
                            + " ${DEFAULT-VALUE}).")
    private int dimension;

    @Option(
            names = "--heads",
            paramLabel = "H",
            defaultValue = "8",
            description = "Heads of encodings that act on scores (default: ${DEFAULT-VALUE}).")
    private int heads;

    @Option(
            names = "--causal",
            description = "Makes encodings of scores for attention that sees no later key.")
    private boolean causal;

    @Option(
            names = "--coordinates",
            paramLabel = "auto|tokens|unit",
            defaultValue = "auto",
            description =
                    "Whether positions are those of tokens or coordinates in [0, 1), which sets"
                            + " standards; auto: unit where all are in [0, 1] and not all whole.")
    private Coordinates coordinates;

    @Option(
            names = "--length",
            paramLabel = "L",
            description =
                    "Positions seen in training, or samples along an axis, which sets standards"
                            + " (default: as far as the positions go).")
    private Integer length;

    @Option(
            names = "--dtype",
            paramLabel = "float64|float32",
            defaultValue = "float64",
            description = "The type to compute in (default: ${DEFAULT-VALUE}).")
    private Precision precision;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "0",
            description = "Draws what the encoding draws at random (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Mixin private DeviceOption device;

    private PositionList points;

    /** Returns the encoding's entry in the registry. */
    NamedEncoding encoding() {
        return Encodings.named(name);
    }

    /** Returns the positions. */
    PositionList points() {
        if (points == null) {
            points = PositionList.parse(positions);
        }
        return points;
    }

    Device device() {
        return device.device();
    }

    DataType type() {
        return precision == Precision.FLOAT64 ? DataType.FLOAT64 : DataType.FLOAT32;
    }

    /** Returns whether positions are coordinates in [0, 1). */
    boolean unit() {
        return switch (coordinates) {
            case UNIT -> true;
            case TOKENS -> false;
            case AUTO -> points().withinUnit() && !points().whole();
        };
    }

    /** Returns the length in effect. */
    int length() {
        if (length != null) {
            return length;
        }
        int count = points().points().length;
        if (unit()) {
            return (int) Math.ceil(Math.pow(count, 1.0 / points().dimension()) - 1e-9);
        }
        double last = Arrays.stream(points().flat()).map(Math::abs).max().orElse(0);
        return (int) Math.min(Integer.MAX_VALUE, Math.max(count, Math.floor(last) + 1));
    }

    /**
     * Returns whether the encoding is to be analysed as features. Without an encoding a network of
     * coordinates still sees the coordinates, but a Transformer sees nothing of its positions.
     */
    boolean hasFeatures() {
        boolean tokens = !unit() && points().dimension() == 1;
        return encoding().hasFeatures() && !(tokens && name.equals("none"));
    }

    /** Makes the features, with their parameters. */
    PositionFeatures features(NDManager manager) {
        int m = points().dimension();
        PositionFeatures features =
                encoding().features(new Space(m, dimension, length(), unit(), seed), settings);
        features.initialize(manager, type(), m == 1 ? new Shape(1) : new Shape(1, m));
        return features;
    }

    /** Makes the encoding for a Transformer, with its parameters. */
    PositionalEncoding attention(NDManager manager) {
        if (points().dimension() != 1) {
            throw new IllegalArgumentException(
                    name
                            + " takes token positions, one number each, got points of "
                            + points().dimension());
        }
        PositionalEncoding encoding = encoding().forTransformer(site(), settings);
        encoding.initialize(manager, type(), new Shape(1, 1, dimension), new Shape(1));
        return encoding;
    }

    /** Returns the Transformer that an encoding without features is made for. */
    Site site() {
        if (heads < 1 || dimension < 1 || (long) heads * dimension > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "--heads and --dimension must be at least 1 and their product below 2^31, got "
                            + heads
                            + " and "
                            + dimension);
        }
        return new Site(heads * dimension, heads, dimension, length(), causal, seed);
    }

    /** Returns the positions as an encoding takes them: (N), or (N, M). */
    Positions array(NDManager manager, Object encoding) {
        double[] flat = points().flat();
        int m = points().dimension();
        if (encoding instanceof LearnedTable) {
            if (!points().whole()) {
                throw new IllegalArgumentException(
                        name + " takes whole numbers as positions, got " + positions);
            }
            return Positions.of(
                    manager.create(Arrays.stream(flat).mapToLong(x -> (long) x).toArray()));
        }
        Shape shape = m == 1 ? new Shape(flat.length) : new Shape(flat.length / m, m);
        NDArray exact = manager.create(flat, shape);
        return Positions.of(exact.toType(type(), false));
    }

    /** Returns what a result is the result of. */
    Map<String, Object> provenance(Object block, DataType effective) {
        Map<String, String> inEffect = new LinkedHashMap<>();
        encoding().keys().forEach(key -> inEffect.put(key.key(), key.standard()));
        inEffect.putAll(settings);
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("posenc", Version.text());
        fields.put("encoding", name);
        fields.put("settings", inEffect);
        fields.put("block", block.toString());
        fields.put("dtype", Settings.nameOf(effective));
        fields.put("coordinates", unit() ? "unit" : "tokens");
        fields.put("length", length());
        fields.put("seed", seed);
        return fields;
    }
}
