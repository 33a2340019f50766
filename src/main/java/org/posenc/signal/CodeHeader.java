package org.posenc.signal;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonDeserializationContext;
import com.google.gson.JsonDeserializer;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonSerializationContext;
import com.google.gson.JsonSerializer;
import com.google.gson.Strictness;
import java.lang.reflect.Type;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.posenc.model.CoordinateActivation;

/**
 * What a {@link SignalCode}'s file says of itself in JSON, before the bytes of its tensors.
 *
 * @param signal the sides of the signal, (N_0, …, N_{M−1})
 * @param format the file it came from
 * @param network what the networks are
 * @param offset what they compute the difference from, a value for each channel
 * @param features the features in words, with the settings in effect when the signal was fitted
 * @param tile the sides of a tile
 * @param overlap samples that neighbouring tiles share
 * @param step tiles begin at its multiples
 * @param tensors the parameters of the network, each of all tiles
 */
record CodeHeader(
        int[] signal,
        JsonElement format,
        NetworkPlan network,
        float[] offset,
        String features,
        int[] tile,
        int overlap,
        int step,
        List<Entry> tensors) {

    /** Axes of a signal, at most; a film has three. */
    private static final int MOST_AXES = 8;

    private static final Gson GSON =
            new GsonBuilder()
                    .setStrictness(Strictness.STRICT)
                    .disableHtmlEscaping()
                    .registerTypeAdapter(CoordinateActivation.class, new ActivationByName())
                    .create();

    /**
     * A tensor.
     *
     * @param name what it is in its network
     * @param shape its sides
     * @param step the distance of neighbouring values, 0 for float32
     * @param bytes the length of its code
     */
    record Entry(String name, int[] shape, double step, int bytes) {

        /** Checks what cannot wait for the code. */
        Entry {
            if (name == null || shape == null || bytes < 0) {
                throw new IllegalArgumentException(
                        "a tensor needs a name, a shape and a length, got " + name + ", " + bytes);
            }
        }
    }

    /** Checks that nothing is missing. */
    CodeHeader {
        if (signal == null
                || format == null
                || network == null
                || offset == null
                || features == null
                || tile == null
                || tensors == null
                || tensors.stream().anyMatch(t -> t == null)) {
            throw new IllegalArgumentException(
                    "its header needs signal, format, network, offset, features, tile and tensors");
        }
        if (offset.length != network.outputs()) {
            throw new IllegalArgumentException(
                    "it has "
                            + offset.length
                            + " offsets for the "
                            + network.outputs()
                            + " channels of its network");
        }
        if (signal.length > MOST_AXES || signal.length != network.axes()) {
            throw new IllegalArgumentException(
                    "a signal of " + signal.length + " axes does not fit its network");
        }
    }

    /** An activation as {"name": {its numbers}}. */
    private static final class ActivationByName
            implements JsonSerializer<CoordinateActivation>,
                    JsonDeserializer<CoordinateActivation> {

        private static String name(Class<?> type) {
            return type.getSimpleName().toLowerCase(Locale.ROOT);
        }

        @Override
        public JsonElement serialize(
                CoordinateActivation activation, Type type, JsonSerializationContext context) {
            JsonObject named = new JsonObject();
            named.add(
                    name(activation.getClass()),
                    context.serialize(activation, activation.getClass()));
            return named;
        }

        @Override
        public CoordinateActivation deserialize(
                JsonElement json, Type type, JsonDeserializationContext context) {
            JsonObject named = json.getAsJsonObject();
            for (Class<?> known : CoordinateActivation.class.getPermittedSubclasses()) {
                JsonElement numbers = named.get(name(known));
                if (numbers != null) {
                    return context.deserialize(numbers, known);
                }
            }
            throw new IllegalArgumentException("there is no activation " + named.keySet());
        }
    }

    /** Returns the header as one line of JSON. */
    String toJson() {
        return GSON.toJson(this);
    }

    /**
     * Reads a header.
     *
     * @throws IllegalArgumentException if it is malformed, or something in it is out of range
     */
    static CodeHeader parse(String json) {
        CodeHeader header = refusing(() -> GSON.fromJson(json, CodeHeader.class));
        if (header == null) {
            throw new IllegalArgumentException("its header is empty");
        }
        return header;
    }

    /**
     * Returns the format of the signal's file.
     *
     * @throws IllegalArgumentException if there is no such format
     */
    SignalFormat fileFormat() {
        return refusing(() -> SignalFormat.parse(format.toString()));
    }

    /** Gson wraps what a record says when it refuses a value. */
    private static <T> T refusing(Supplier<T> reading) {
        try {
            return reading.get();
        } catch (RuntimeException e) {
            Throwable cause = e;
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            boolean refused = cause instanceof IllegalArgumentException;
            boolean number = cause instanceof NumberFormatException;
            String why = refused && !number ? cause.getMessage() : "its header is malformed";
            throw new IllegalArgumentException(why, e);
        }
    }
}
