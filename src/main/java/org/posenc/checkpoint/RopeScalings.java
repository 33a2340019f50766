package org.posenc.checkpoint;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import org.posenc.encoding.rope.Default;
import org.posenc.encoding.rope.DynamicNtk;
import org.posenc.encoding.rope.Linear;
import org.posenc.encoding.rope.Llama3;
import org.posenc.encoding.rope.LongRope;
import org.posenc.encoding.rope.Proportional;
import org.posenc.encoding.rope.RopeScaling;
import org.posenc.encoding.rope.Yarn;

/** Hugging Face's names of scalings and their parameters, read and written. */
final class RopeScalings {

    private static final Map<String, Set<String>> KEYS =
            Map.of(
                    "default", Set.of(),
                    "linear", Set.of("factor", "original_max_position_embeddings"),
                    "dynamic", Set.of("factor", "original_max_position_embeddings"),
                    "yarn",
                            Set.of(
                                    "factor",
                                    "original_max_position_embeddings",
                                    "beta_fast",
                                    "beta_slow",
                                    "attention_factor",
                                    "mscale",
                                    "mscale_all_dim",
                                    "truncate",
                                    "max_position_embeddings",
                                    "llama_4_scaling_beta",
                                    "finetuned"),
                    "longrope",
                            Set.of(
                                    "factor",
                                    "original_max_position_embeddings",
                                    "short_factor",
                                    "long_factor",
                                    "short_mscale",
                                    "long_mscale",
                                    "attention_factor"),
                    "llama3",
                            Set.of(
                                    "factor",
                                    "original_max_position_embeddings",
                                    "low_freq_factor",
                                    "high_freq_factor"),
                    "proportional", Set.of("factor"));

    private static final Set<String> OF_ALL =
            Set.of(
                    "rope_type",
                    "rope_theta",
                    "partial_rotary_factor",
                    "mrope_section",
                    "mrope_interleaved");

    private RopeScalings() {}

    static boolean isKnown(String type) {
        return KEYS.containsKey(type);
    }

    /** Whether the length of the pre-training decides the frequencies of a known type. */
    static boolean hasOriginalLength(String type) {
        return Set.of("yarn", "longrope", "llama3").contains(type);
    }

    static void allowKeys(ConfigValues values, String type) {
        if (!isKnown(type)) {
            throw values.refuse(
                    "rope_type", "one of " + String.join(", ", new TreeSet<>(KEYS.keySet())));
        }
        Set<String> known = new HashSet<>(OF_ALL);
        known.addAll(KEYS.get(type));
        values.allowOnly(known, "RoPE of type \"" + type + "\"");
    }

    /** Reads a scaling whose type and keys are known. */
    static RopeScaling read(
            ConfigValues values,
            String type,
            int rotaryDimension,
            long maxPositions,
            Collection<String> remarks) {
        return switch (type) {
            case "default" -> new Default();
            case "linear" -> linear(values, maxPositions);
            case "dynamic" -> dynamic(values, maxPositions, rotaryDimension);
            case "yarn" -> yarn(values, maxPositions, remarks);
            case "longrope" -> longRope(values, maxPositions, rotaryDimension, remarks);
            case "llama3" -> llama3(values, maxPositions);
            case "proportional" ->
                    new Proportional(
                            values.part("partial_rotary_factor").orElse(1),
                            values.number("factor", 1).orElse(1));
            default -> throw new IllegalStateException(type);
        };
    }

    private static Linear linear(ConfigValues values, long maxPositions) {
        double factor = factor(values);
        OptionalLong original = values.whole("original_max_position_embeddings", 1);
        if (original.isPresent()
                && original.getAsLong() != maxPositions
                && original.getAsLong() * factor != maxPositions) {
            throw values.refuse(
                    "original_max_position_embeddings",
                    "max_position_embeddings / factor or left out, since the type \"linear\" does"
                            + " not use it");
        }
        return new Linear(factor);
    }

    private static DynamicNtk dynamic(ConfigValues values, long maxPositions, int rotaryDimension) {
        OptionalLong original = values.whole("original_max_position_embeddings", 1);
        if (original.isPresent() && original.getAsLong() != maxPositions) {
            throw values.refuse(
                    "original_max_position_embeddings",
                    "max_position_embeddings (%d) or left out, since the type \"dynamic\" is"
                                    .formatted(maxPositions)
                            + " reckoned from that");
        }
        if (rotaryDimension < 4) {
            throw new IllegalArgumentException(
                    "the type \"dynamic\" needs at least 4 components that turn, got "
                            + rotaryDimension);
        }
        return new DynamicNtk(factor(values), maxPositions);
    }

    private static Yarn yarn(ConfigValues values, long maxPositions, Collection<String> remarks) {
        long original = original(values, maxPositions);
        OptionalLong longest = values.whole("max_position_embeddings", 1);
        if (longest.isPresent() && longest.getAsLong() != maxPositions) {
            throw values.refuse(
                    "max_position_embeddings", "%d, as outside".formatted(maxPositions));
        }
        double factor = factor(values, original, maxPositions, remarks);
        // Hugging Face reads 0 as not given.
        double fast = orStandard(values.number("beta_fast", 0), 32);
        double slow = orStandard(values.number("beta_slow", 0), 1);
        if (fast < slow) {
            throw values.refuse(
                    "beta_fast", "at least beta_slow, which is " + ConfigValues.plain(slow));
        }
        OptionalDouble mscale = values.number("mscale", 0);
        OptionalDouble all = values.number("mscale_all_dim", 0);
        if (!values.has("attention_factor") && isSet(mscale) != isSet(all)) {
            remarks.add(
                    "%s alone is without effect: mscale and mscale_all_dim work together"
                            .formatted(isSet(mscale) ? "mscale" : "mscale_all_dim"));
        }
        values.number("llama_4_scaling_beta", 0)
                .ifPresent(
                        beta ->
                                remarks.add(
                                        "llama_4_scaling_beta %s also scales queries by position,"
                                                        .formatted(ConfigValues.plain(beta))
                                                + " which is no part of RoPE"));
        values.flag("finetuned");
        return new Yarn(
                factor,
                original,
                fast,
                slow,
                values.flag("truncate").orElse(true),
                values.positive("attention_factor"),
                mscale,
                all);
    }

    private static LongRope longRope(
            ConfigValues values,
            long maxPositions,
            int rotaryDimension,
            Collection<String> remarks) {
        int pairs = rotaryDimension / 2;
        double[] shorter =
                values.positives("short_factor", pairs)
                        .orElseThrow(() -> values.missing("short_factor"));
        double[] longer =
                values.positives("long_factor", pairs)
                        .orElseThrow(() -> values.missing("long_factor"));
        long original = original(values, maxPositions);
        if (original < 2) {
            throw values.refuse("original_max_position_embeddings", "at least 2");
        }
        double factor =
                values.has("factor")
                        ? factor(values, original, maxPositions, remarks)
                        : (double) maxPositions / original;
        return new LongRope(shorter, longer, original, factor, attention(values));
    }

    /** Phi-3.5-MoE has two names for its attention scaling, one for either list of factors. */
    private static OptionalDouble attention(ConfigValues values) {
        OptionalDouble shorter = values.positive("short_mscale");
        if (!shorter.equals(values.positive("long_mscale"))) {
            throw values.refuse(
                    "short_mscale", "the same as long_mscale, since both scale attention alike");
        }
        OptionalDouble said = values.positive("attention_factor");
        if (shorter.isPresent() && said.isPresent() && !said.equals(shorter)) {
            throw values.refuse("attention_factor", "left out beside short_mscale");
        }
        return shorter.isPresent() ? shorter : said;
    }

    private static Llama3 llama3(ConfigValues values, long maxPositions) {
        double low = values.required(values.positive("low_freq_factor"), "low_freq_factor");
        double high = values.required(values.positive("high_freq_factor"), "high_freq_factor");
        if (low > high) {
            throw values.refuse(
                    "low_freq_factor",
                    "at most high_freq_factor, which is " + ConfigValues.plain(high));
        }
        return new Llama3(factor(values), low, high, original(values, maxPositions));
    }

    private static double factor(ConfigValues values) {
        return values.required(values.number("factor", 1), "factor");
    }

    /** The factor, or else the ratio that the two lengths have. */
    private static double factor(
            ConfigValues values, long original, long maxPositions, Collection<String> remarks) {
        double ratio = (double) maxPositions / original;
        OptionalDouble said = values.number("factor", 1);
        if (said.isEmpty()) {
            remarks.add(
                    "factor is missing, so max_position_embeddings /"
                            + " original_max_position_embeddings = %s is taken"
                                    .formatted(ConfigValues.plain(ratio)));
            return ratio;
        }
        if (said.getAsDouble() != ratio && ratio != 1) {
            remarks.add(
                    ("factor %s is in effect, although max_position_embeddings /"
                                    + " original_max_position_embeddings is %s")
                            .formatted(
                                    ConfigValues.plain(said.getAsDouble()),
                                    ConfigValues.plain(ratio)));
        }
        return said.getAsDouble();
    }

    private static long original(ConfigValues values, long maxPositions) {
        long original = values.whole("original_max_position_embeddings", 1).orElse(maxPositions);
        if (original > maxPositions) {
            throw values.refuse(
                    "original_max_position_embeddings",
                    "at most max_position_embeddings, which is " + maxPositions);
        }
        return original;
    }

    private static boolean isSet(OptionalDouble value) {
        return value.isPresent() && value.getAsDouble() != 0;
    }

    private static double orStandard(OptionalDouble value, double standard) {
        return isSet(value) ? value.getAsDouble() : standard;
    }

    /** Returns Hugging Face's name of a scaling. */
    static String name(RopeScaling scaling) {
        if (scaling instanceof Default) {
            return "default";
        }
        if (scaling instanceof Linear) {
            return "linear";
        }
        if (scaling instanceof DynamicNtk) {
            return "dynamic";
        }
        if (scaling instanceof Yarn) {
            return "yarn";
        }
        if (scaling instanceof LongRope) {
            return "longrope";
        }
        if (scaling instanceof Llama3) {
            return "llama3";
        }
        if (scaling instanceof Proportional) {
            return "proportional";
        }
        throw new IllegalArgumentException(
                "Hugging Face has no type of RoPE for " + scaling + ": no config.json can say it");
    }

    /** Writes a scaling's own parameters, all that are in effect. */
    static JsonObject write(RopeScaling scaling, long maxPositions) {
        JsonObject json = new JsonObject();
        json.addProperty("rope_type", name(scaling));
        if (scaling instanceof Linear linear) {
            json.addProperty("factor", linear.factor());
        } else if (scaling instanceof DynamicNtk dynamic) {
            if (dynamic.trainedLength() != maxPositions) {
                throw new IllegalArgumentException(
                        "the type \"dynamic\" is reckoned from max_position_embeddings, here %d and"
                                        .formatted(maxPositions)
                                + " not the trained length of %d"
                                        .formatted(dynamic.trainedLength()));
            }
            json.addProperty("factor", dynamic.factor());
        } else if (scaling instanceof Yarn yarn) {
            json.addProperty("factor", yarn.factor());
            json.addProperty("original_max_position_embeddings", yarn.originalLength());
            json.addProperty("beta_fast", yarn.betaFast());
            json.addProperty("beta_slow", yarn.betaSlow());
            json.addProperty("truncate", yarn.truncate());
            add(json, "attention_factor", yarn.attentionFactor());
            add(json, "mscale", yarn.mscale());
            add(json, "mscale_all_dim", yarn.mscaleAllDim());
        } else if (scaling instanceof LongRope longRope) {
            json.add("short_factor", list(longRope.shortFactors()));
            json.add("long_factor", list(longRope.longFactors()));
            json.addProperty("original_max_position_embeddings", longRope.originalLength());
            if (longRope.factor() != (double) maxPositions / longRope.originalLength()) {
                json.addProperty("factor", longRope.factor());
            }
            add(json, "attention_factor", longRope.attentionFactor());
        } else if (scaling instanceof Llama3 llama3) {
            json.addProperty("factor", llama3.factor());
            json.addProperty("low_freq_factor", llama3.lowFrequencyFactor());
            json.addProperty("high_freq_factor", llama3.highFrequencyFactor());
            json.addProperty("original_max_position_embeddings", llama3.originalLength());
        } else if (scaling instanceof Proportional proportional) {
            json.addProperty("partial_rotary_factor", proportional.part());
            json.addProperty("factor", proportional.factor());
        }
        return json;
    }

    private static void add(JsonObject json, String key, OptionalDouble value) {
        value.ifPresent(number -> json.addProperty(key, number));
    }

    private static JsonArray list(double[] values) {
        JsonArray list = new JsonArray();
        Arrays.stream(values).forEach(list::add);
        return list;
    }
}
