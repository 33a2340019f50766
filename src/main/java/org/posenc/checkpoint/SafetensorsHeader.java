package org.posenc.checkpoint;

import ai.djl.ndarray.types.Shape;
import com.google.gson.Gson;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a safetensors file says of itself (<a
 * href="https://github.com/huggingface/safetensors#format">format</a>): 8 bytes of length, a JSON
 * object with each tensor's type, shape and place, then the tensors' bytes without a gap.
 *
 * @param tensors the tensors by name, in the order of the header
 * @param metadata the strings under {@code __metadata__}
 * @param dataBegin where in the file the tensors' bytes begin
 */
record SafetensorsHeader(
        Map<String, Tensor> tensors, Map<String, String> metadata, long dataBegin) {

    private static final String METADATA = "__metadata__";
    private static final int LENGTH_BYTES = 8;
    private static final int ALIGNMENT = 8;

    /** What the reference library reads at most. */
    private static final long LONGEST = 100_000_000;

    /**
     * A tensor's entry.
     *
     * @param type the type of its numbers
     * @param shape its shape
     * @param begin its first byte, counted from where the data begin
     * @param end the byte after its last
     */
    record Tensor(StoredType type, Shape shape, long begin, long end) {}

    /**
     * Reads and checks a file's header.
     *
     * @throws IllegalArgumentException if the file cannot be read or is malformed
     */
    static SafetensorsHeader read(Path file) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return new Parser(file, channel.size()).parse(channel);
        } catch (IOException e) {
            throw Safetensors.unreadable(file, e);
        }
    }

    /** Lays tensors out one after another, wide types first, so that each is aligned. */
    static Map<String, Tensor> layOut(Map<String, StoredType> types, Map<String, Shape> shapes) {
        List<String> names = new ArrayList<>(shapes.keySet());
        names.sort(
                Comparator.comparing((String name) -> -types.get(name).bytes())
                        .thenComparing(Comparator.naturalOrder()));
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        long begin = 0;
        for (String name : names) {
            StoredType type = types.get(name);
            long end = begin + Math.multiplyExact(shapes.get(name).size(), (long) type.bytes());
            tensors.put(name, new Tensor(type, shapes.get(name), begin, end));
            begin = end;
        }
        return tensors;
    }

    /** Returns the bytes that stand before the tensors' own, a multiple of 8. */
    static byte[] compose(Map<String, Tensor> tensors, Map<String, String> metadata) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put(METADATA, metadata);
        tensors.forEach(
                (name, tensor) -> {
                    Map<String, Object> entry = new LinkedHashMap<>();
                    entry.put("dtype", tensor.type().name());
                    entry.put("shape", tensor.shape().getShape());
                    entry.put("data_offsets", new long[] {tensor.begin(), tensor.end()});
                    json.put(name, entry);
                });
        byte[] text = new Gson().toJson(json).getBytes(StandardCharsets.UTF_8);
        int padded = (text.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        ByteBuffer bytes = ByteBuffer.allocate(LENGTH_BYTES + padded);
        bytes.order(ByteOrder.LITTLE_ENDIAN).putLong(padded).put(text);
        Arrays.fill(bytes.array(), bytes.position(), bytes.capacity(), (byte) ' ');
        return bytes.array();
    }

    /** Reads one header; nothing larger than the file is allocated. */
    private static final class Parser {

        private final Path file;
        private final long size;

        Parser(Path file, long size) {
            this.file = file;
            this.size = size;
        }

        SafetensorsHeader parse(FileChannel channel) throws IOException {
            if (size < LENGTH_BYTES) {
                throw malformed("it has " + size + " bytes and needs at least " + LENGTH_BYTES);
            }
            long length = bytes(channel, 0, LENGTH_BYTES).getLong();
            if (length < 2 || length > Math.min(LONGEST, size - LENGTH_BYTES)) {
                throw malformed(
                        "its header claims "
                                + Long.toUnsignedString(length)
                                + " bytes in a file of "
                                + size);
            }
            String text = text(bytes(channel, LENGTH_BYTES, (int) length));
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            Map<String, String> metadata = new LinkedHashMap<>();
            JsonReader json = new JsonReader(new StringReader(text));
            json.setStrictness(Strictness.STRICT);
            try {
                entries(json, tensors, metadata);
            } catch (IOException | IllegalStateException e) {
                // Gson's own sentences speak of its settings.
                throw malformed("its header is no valid JSON at " + json.getPath());
            }
            checkPlaces(tensors, size - LENGTH_BYTES - length);
            return new SafetensorsHeader(tensors, metadata, LENGTH_BYTES + length);
        }

        private void entries(
                JsonReader json, Map<String, Tensor> tensors, Map<String, String> metadata)
                throws IOException {
            boolean described = false;
            json.beginObject();
            while (json.hasNext()) {
                String name = json.nextName();
                if (name.equals(METADATA)) {
                    if (described) {
                        throw malformed("its header has " + METADATA + " twice");
                    }
                    described = true;
                    strings(json, metadata);
                } else if (tensors.put(name, tensor(name, json)) != null) {
                    throw malformed("it has two tensors of the name " + name);
                }
            }
            json.endObject();
            json.peek(); // a strict reader refuses what comes after the end
        }

        private void strings(JsonReader json, Map<String, String> metadata) throws IOException {
            json.beginObject();
            while (json.hasNext()) {
                String key = json.nextName();
                expect(json, JsonToken.STRING, METADATA + " must hold strings");
                if (metadata.put(key, json.nextString()) != null) {
                    throw malformed(METADATA + " has the key " + key + " twice");
                }
            }
            json.endObject();
        }

        private Tensor tensor(String name, JsonReader json) throws IOException {
            StoredType type = null;
            long[] shape = null;
            long[] offsets = null;
            expect(json, JsonToken.BEGIN_OBJECT, "tensor " + name + " must be an object");
            json.beginObject();
            while (json.hasNext()) {
                String key = json.nextName();
                String what = key + " of tensor " + name;
                boolean twice;
                switch (key) {
                    case "dtype" -> {
                        twice = type != null;
                        type = type(name, json);
                    }
                    case "shape" -> {
                        twice = shape != null;
                        shape = numbers(what, json);
                    }
                    case "data_offsets" -> {
                        twice = offsets != null;
                        offsets = numbers(what, json);
                    }
                    default -> throw malformed("tensor " + name + " has an unknown key " + key);
                }
                if (twice) {
                    throw malformed("it has " + what + " twice");
                }
            }
            json.endObject();
            if (type == null || shape == null || offsets == null || offsets.length != 2) {
                throw malformed("tensor " + name + " needs a dtype, a shape and two data_offsets");
            }
            Tensor tensor = new Tensor(type, new Shape(shape), offsets[0], offsets[1]);
            checkSize(name, tensor, shape);
            return tensor;
        }

        private StoredType type(String name, JsonReader json) throws IOException {
            expect(json, JsonToken.STRING, "dtype of tensor " + name + " must be a string");
            String type = json.nextString();
            return Arrays.stream(StoredType.values())
                    .filter(known -> known.name().equals(type))
                    .findFirst()
                    .orElseThrow(
                            () ->
                                    malformed(
                                            "tensor "
                                                    + name
                                                    + " has type "
                                                    + type
                                                    + "; those that can be read are "
                                                    + Arrays.toString(StoredType.values())));
        }

        private long[] numbers(String what, JsonReader json) throws IOException {
            List<Long> values = new ArrayList<>();
            String sentence = what + " must be whole numbers from 0";
            expect(json, JsonToken.BEGIN_ARRAY, sentence);
            json.beginArray();
            while (json.hasNext()) {
                expect(json, JsonToken.NUMBER, sentence);
                String digits = json.nextString();
                if (!digits.matches("[0-9]{1,18}")) {
                    throw malformed(sentence + ", got " + digits);
                }
                values.add(Long.parseLong(digits));
            }
            json.endArray();
            return values.stream().mapToLong(Long::longValue).toArray();
        }

        private void checkSize(String name, Tensor tensor, long[] shape) {
            long bytes = tensor.type().bytes();
            try {
                for (long extent : shape) {
                    bytes = Math.multiplyExact(bytes, extent);
                }
            } catch (ArithmeticException e) {
                throw malformed("tensor " + name + " has the impossible shape " + tensor.shape());
            }
            if (tensor.end() - tensor.begin() != bytes) {
                throw malformed(
                        "tensor "
                                + name
                                + " of type "
                                + tensor.type()
                                + " and shape "
                                + tensor.shape()
                                + " takes "
                                + bytes
                                + " bytes, its data_offsets give it "
                                + (tensor.end() - tensor.begin()));
            }
        }

        /** Tensors must fill the data: no hole, no overlap, nothing left over. */
        private void checkPlaces(Map<String, Tensor> tensors, long available) {
            List<Map.Entry<String, Tensor>> ordered = new ArrayList<>(tensors.entrySet());
            ordered.sort(
                    Comparator.comparing(
                                    (Map.Entry<String, Tensor> entry) -> entry.getValue().begin())
                            .thenComparing(entry -> entry.getValue().end()));
            long filled = 0;
            for (Map.Entry<String, Tensor> entry : ordered) {
                Tensor tensor = entry.getValue();
                if (tensor.begin() != filled) {
                    throw malformed(
                            "tensor "
                                    + entry.getKey()
                                    + " begins at byte "
                                    + tensor.begin()
                                    + " where the one before it ends at "
                                    + filled);
                }
                filled = tensor.end();
            }
            if (filled != available) {
                throw malformed(
                        "its tensors take "
                                + filled
                                + " bytes and it has "
                                + available
                                + " for them");
            }
        }

        private void expect(JsonReader json, JsonToken wanted, String sentence) throws IOException {
            if (json.peek() != wanted) {
                throw malformed(sentence);
            }
        }

        private ByteBuffer bytes(FileChannel channel, long position, int count) throws IOException {
            ByteBuffer bytes = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
            while (bytes.hasRemaining()) {
                if (channel.read(bytes, position + bytes.position()) < 0) {
                    throw malformed("it ended while it was read");
                }
            }
            return bytes.flip();
        }

        private String text(ByteBuffer bytes) {
            if (bytes.get(0) != '{') {
                throw malformed("its header is not a JSON object");
            }
            try {
                return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
            } catch (CharacterCodingException e) {
                throw malformed("its header is not UTF-8");
            }
        }

        private IllegalArgumentException malformed(String why) {
            return new IllegalArgumentException(file + " is no safetensors file: " + why);
        }
    }
}
