package org.posenc.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.posenc.analysis.ContextBound;
import org.posenc.analysis.RopeAnalysis;
import org.posenc.checkpoint.RopeConfig;
import org.posenc.encoding.Settings;
import org.posenc.encoding.rope.LongRope;
import org.posenc.encoding.rope.RopeFrequencies;
import org.posenc.encoding.rope.RopeParameters;
import org.posenc.encoding.rope.RopePrecision;
import org.posenc.encoding.rope.Yarn;

/** One layer type's RoPE at one length, with all that {@code posenc rope} tells about it. */
record RopeView(
        Path file,
        RopeConfig.Parsed parsed,
        String layerType,
        RopeParameters rope,
        long length,
        RopePrecision precision,
        RopeAnalysis analysis,
        OptionalLong contextBound,
        OptionalLong scaledContextBound,
        long target,
        OptionalDouble smallestBase) {

    /** How far the context bound is looked for, in tokens. */
    static final long BOUND_LIMIT = 4_000_000;

    /** Longer targets take seconds, and are searched only when asked for. */
    private static final long QUICK_TARGET = 150_000;

    /** What a user chose; a zero length is the configuration's own. */
    record Choice(long length, long trainedLength, long target, RopePrecision precision) {}

    static RopeView of(Path file, RopeConfig.Parsed parsed, String layerType, Choice choice) {
        RopeConfig config = parsed.config();
        RopeParameters rope = config.parameters().get(layerType).orElseThrow();
        long original = config.originalPositions(layerType);
        // As transformers builds a model: LongRoPE with its short factors.
        long standard = rope.scaling() instanceof LongRope ? original : reach(config, rope);
        long length = choice.length() > 0 ? choice.length() : standard;
        long trained = choice.trainedLength() > 0 ? choice.trainedLength() : original;
        RopeAnalysis analysis = RopeAnalysis.of(rope, trained, length);
        int unturned = rope.headDimension() - rope.rotaryDimension();
        long target = choice.target() > 0 ? choice.target() : reach(config, rope);
        return new RopeView(
                file,
                parsed,
                layerType,
                rope,
                length,
                choice.precision(),
                analysis,
                ContextBound.firstNegative(analysis.unscaled().inverse(), unturned, BOUND_LIMIT),
                analysis.contextBound(BOUND_LIMIT),
                target,
                choice.target() > 0 || target <= QUICK_TARGET
                        ? analysis.smallestBase(target)
                        : OptionalDouble.empty());
    }

    /** Returns the longest context that the configuration means, in tokens. */
    long reach() {
        return reach(config(), rope);
    }

    /** Files of Qwen leave max_position_embeddings as it was and give YaRN its factor only. */
    private static long reach(RopeConfig config, RopeParameters rope) {
        return rope.scaling() instanceof Yarn yarn
                ? Math.max(config.maxPositions(), Math.round(yarn.factor() * yarn.originalLength()))
                : config.maxPositions();
    }

    RopeConfig config() {
        return parsed.config();
    }

    String ropeType() {
        return RopeConfig.ropeType(rope.scaling());
    }

    RopeFrequencies frequencies() {
        return rope.frequencies(length, precision);
    }

    int pairs() {
        return analysis.pairs().size();
    }

    /** Returns the layers of a type, or none where their number is not known. */
    static int[] layersOf(RopeConfig config, String type) {
        return IntStream.range(0, config.layerTypes().size())
                .filter(i -> config.layerTypes().get(i).equals(type))
                .toArray();
    }

    /** Returns the result as fields of a JSON object. */
    Map<String, Object> fields() {
        RopeFrequencies frequencies = frequencies();
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("file", file.toString());
        fields.put("modelType", config().modelType());
        fields.put("layerType", layerType);
        fields.put("ropeType", ropeType());
        fields.put("parameters", config().write(RopeConfig.KeyStyle.NEW).get("rope_parameters"));
        fields.put("layout", config().layout().map(Settings::nameOf).orElse(null));
        fields.put("headDim", rope.headDimension());
        fields.put("rotaryDim", rope.rotaryDimension());
        fields.put("base", rope.base());
        fields.put("maxPosition", config().maxPositions());
        fields.put("originalMaxPosition", config().originalPositions(layerType));
        fields.put("trainedLength", analysis.trainedLength());
        fields.put("seqLen", length);
        fields.put("precision", precision == RopePrecision.EXACT ? "exact" : "hugging-face");
        fields.put("attentionScaling", frequencies.attentionScaling());
        fields.put("invFreq", frequencies.inverse());
        fields.put("unscaledInvFreq", analysis.unscaled().inverse());
        fields.put(
                "wavelengths",
                Arrays.stream(frequencies.inverse())
                        .mapToObj(f -> finite(2 * Math.PI / f))
                        .toList());
        fields.put(
                "turnsInTraining",
                analysis.pairs().stream().map(RopeAnalysis.Pair::turns).toList());
        fields.put("neverTurned", neverTurned());
        fields.put("unseenPairs", unseen());
        fields.put("criticalDimension", analysis.criticalDimension());
        fields.put("extrapolationLimit", finite(analysis.extrapolationLimit()));
        fields.put("contextBound", nullable(contextBound));
        fields.put("scaledContextBound", nullable(scaledContextBound));
        fields.put("contextBoundSearchedTo", BOUND_LIMIT);
        fields.put("targetLength", target);
        fields.put("smallestBase", smallestBase.isPresent() ? smallestBase.getAsDouble() : null);
        fields.put("resolution", analysis.resolution());
        fields.put("layerTypes", layerTypes());
        fields.put("findings", RopeFindings.of(this));
        fields.put("remarks", parsed.remarks());
        return fields;
    }

    /** Returns how many pairs made no full turn in the pre-training. */
    long neverTurned() {
        return analysis.pairs().stream().filter(pair -> !pair.turnedFully()).count();
    }

    /** Returns how many pairs reach angles that no position of the pre-training had. */
    long unseen() {
        return analysis.pairs().stream().filter(RopeAnalysis.Pair::reachesUnseenAngles).count();
    }

    private List<Map<String, Object>> layerTypes() {
        List<Map<String, Object>> types = new ArrayList<>();
        config().parameters()
                .forEach(
                        (type, parameters) -> {
                            Map<String, Object> fields = new LinkedHashMap<>();
                            fields.put("layerType", type);
                            fields.put("layers", layersOf(config(), type));
                            fields.put("ropeType", ropeType(parameters));
                            parameters.ifPresent(
                                    p -> {
                                        fields.put("rotaryDim", p.rotaryDimension());
                                        fields.put("base", p.base());
                                        RopeFrequencies f = p.frequencies(length, precision);
                                        fields.put("attentionScaling", f.attentionScaling());
                                        fields.put("invFreq", f.inverse());
                                    });
                            types.add(fields);
                        });
        return types;
    }

    static String ropeType(Optional<RopeParameters> parameters) {
        return parameters.map(p -> RopeConfig.ropeType(p.scaling())).orElse("none");
    }

    private static Double finite(double value) {
        return Double.isFinite(value) ? value : null;
    }

    private static Long nullable(OptionalLong value) {
        return value.isPresent() ? value.getAsLong() : null;
    }
}
