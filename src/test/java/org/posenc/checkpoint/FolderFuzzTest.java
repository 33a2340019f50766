package org.posenc.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.posenc.attention.AttentionMask;
import org.posenc.encoding.Positions;
import org.posenc.model.Transformer;

/**
 * Folders with a broken file: each costs one sentence, or is a folder that works. A case is known
 * by its number; a crash of the JVM, which no assertion sees, ends the build.
 */
class FolderFuzzTest {

    private static final Path GOLDENS = Path.of("test-data", "goldens", "checkpoints");
    private static final List<String> MODELS =
            List.of("llama_yarn", "phi3_longrope", "gpt_neox_partial025", "qwen3", "mistral");
    private static final List<String> TOKENIZERS = List.of("llama2", "llama3", "unigram");
    private static final String TEXT = "Some  naïve 東京 🚢 <s> text\n 12\t";

    /** Java objects of JSON are larger than its text; a length that lies would be gigabytes. */
    private static final long OBJECTS = 400;

    private static final long ALWAYS = 4 << 20;

    private static final ThreadMXBean MEMORY = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @TempDir private static Path directory;

    private static int accepted;

    @BeforeAll
    static void copy() throws IOException {
        for (String name : Stream.concat(MODELS.stream(), Stream.of("llama_sharded")).toList()) {
            Path folder = Files.createDirectory(directory.resolve(name));
            try (Stream<Path> files = Files.list(GOLDENS.resolve(name))) {
                for (Path file :
                        files.filter(f -> f.toString().matches(".*(safetensors.*|config.json)"))
                                .toList()) {
                    Files.copy(file, folder.resolve(file.getFileName()));
                }
            }
        }
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void whatIsBrokenCostsOneSentence() throws IOException {
        // Neither is everything refused, nor nothing.
        assertThat(run(0, 2_000)).isBetween(100, 1_500);
    }

    @Test
    @Tag("slow")
    @Timeout(value = 60, unit = TimeUnit.MINUTES)
    void whatIsBrokenInAnyWayCostsOneSentence() throws IOException {
        run(2_000, 102_000);
    }

    /** Returns how many cases were folders that work. */
    private static int run(long from, long to) throws IOException {
        accepted = 0;
        for (long seed = from; seed < to; seed++) {
            switch ((int) (seed % 4)) {
                case 0 -> weights(seed);
                case 1 -> index(seed);
                case 2 -> configuration(seed);
                default -> tokenizer(seed);
            }
        }
        return accepted;
    }

    private static void weights(long seed) throws IOException {
        Path folder = directory.resolve(pick(MODELS, seed));
        Path file = folder.resolve("model.safetensors");
        byte[] whole = Files.readAllBytes(file);
        Mutations mutations = new Mutations(seed);
        byte[] broken = seed % 8 == 0 ? mutations.bytes(whole) : header(whole, mutations);
        with(file, whole, broken, seed, () -> read(folder));
    }

    /** The file under another header, whose length is right. */
    private static byte[] header(byte[] file, Mutations mutations) {
        int length = (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
        byte[] header = mutations.any(Arrays.copyOfRange(file, 8, 8 + length));
        return ByteBuffer.allocate(file.length - length + header.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length)
                .put(header)
                .put(file, 8 + length, file.length - 8 - length)
                .array();
    }

    private static void index(long seed) throws IOException {
        Path folder = directory.resolve("llama_sharded");
        Path file = folder.resolve("model.safetensors.index.json");
        byte[] whole = Files.readAllBytes(file);
        with(file, whole, new Mutations(seed).any(whole), seed, () -> read(folder));
    }

    private static void configuration(long seed) throws IOException {
        Path folder = directory.resolve(pick(MODELS, seed));
        Path file = folder.resolve("config.json");
        byte[] whole = Files.readAllBytes(file);
        with(file, whole, new Mutations(seed).any(whole), seed, () -> read(folder));
    }

    private static void tokenizer(long seed) throws IOException {
        byte[] whole =
                Files.readAllBytes(
                        Path.of("test-data", "tokenizers", pick(TOKENIZERS, seed) + ".json"));
        Path file = directory.resolve("tokenizer.json");
        with(
                file,
                null,
                new Mutations(seed).any(whole),
                seed,
                () -> {
                    try (Tokenizer tokenizer = Tokenizer.open(file)) {
                        long[] ids = tokenizer.encode(TEXT);
                        tokenizer.decode(ids);
                        tokenizer.decode(0, 1, 319, 5000, 2);
                        Tokenizer.Growing growing = tokenizer.growing();
                        for (long id : ids) {
                            growing.add(id);
                        }
                        growing.end();
                    }
                });
    }

    /** Everything that a user does with a folder. */
    private static void read(Path path) {
        ModelFolder folder = ModelFolder.open(path);
        folder.endTokens();
        folder.size().parameters();
        if (!Files.exists(path.resolve("model.safetensors"))) {
            return; // whose tensors are as they were
        }
        try (NDManager manager = NDManager.newBaseManager()) {
            Transformer model = folder.load(manager, DataType.FLOAT32);
            NDArray logits =
                    model.logits(
                            manager.create(new long[] {1, 2, 3}, new Shape(1, 3)),
                            Positions.range(manager, 0, 3),
                            AttentionMask.none(),
                            new ParameterStore(manager, false),
                            false);
            logits.toFloatArray();
        }
    }

    private interface Use {

        void run() throws IOException;
    }

    /** Breaks a file, uses it, and mends it. */
    private static void with(Path file, byte[] whole, byte[] broken, long seed, Use use)
            throws IOException {
        Files.write(file, broken);
        long before = MEMORY.getCurrentThreadAllocatedBytes();
        try {
            use.run();
            accepted++;
        } catch (IllegalArgumentException e) {
            assertThat(e.getMessage())
                    .as("case %d", seed)
                    .isNotBlank()
                    .doesNotContain("java.")
                    .doesNotContain("Exception");
        } catch (Exception | StackOverflowError | OutOfMemoryError e) {
            throw new AssertionError("case " + seed, e);
        } finally {
            if (whole != null) {
                Files.write(file, whole);
            }
        }
        long size = Math.max(broken.length, 100_000);
        assertThat(MEMORY.getCurrentThreadAllocatedBytes() - before)
                .as("bytes allocated by case %d for %d", seed, broken.length)
                .isLessThan(ALWAYS + OBJECTS * size);
    }

    private static String pick(List<String> all, long seed) {
        return all.get((int) (seed / 4 % all.size()));
    }
}
