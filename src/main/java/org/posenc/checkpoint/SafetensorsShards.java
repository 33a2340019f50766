package org.posenc.checkpoint;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.posenc.report.AtomicFile;

/**
 * Writes a folder's weights, in one file or, where they are larger than one should be, in several
 * with an index, named as Hugging Face's libraries name them.
 */
final class SafetensorsShards {

    /** Room for headers, index and tokenizer beside the weights. */
    private static final long BESIDE = 64L << 20;

    private final Path folder;
    private final Map<String, Safetensors.Source> tensors;
    private final Map<String, StoredType> types;
    private final List<Map<String, Safetensors.Source>> shards = new ArrayList<>();
    private final Set<Path> written = new HashSet<>();
    private final long bytes;

    /**
     * Shares tensors out.
     *
     * @param folder where the files go
     * @param tensors the tensors by name
     * @param types what each is stored in
     * @param most how many bytes of tensors a file has at most, unless it has a single one
     */
    SafetensorsShards(
            Path folder,
            Map<String, Safetensors.Source> tensors,
            Map<String, StoredType> types,
            long most) {
        this.folder = folder;
        this.tensors = tensors;
        this.types = types;
        long all = 0;
        long shard = 0;
        for (Map.Entry<String, Safetensors.Source> tensor : tensors.entrySet()) {
            long size = tensor.getValue().shape().size() * types.get(tensor.getKey()).bytes();
            if (shards.isEmpty() || shard + size > most) {
                shards.add(new LinkedHashMap<>());
                shard = 0;
            }
            shards.get(shards.size() - 1).put(tensor.getKey(), tensor.getValue());
            shard += size;
            all += size;
        }
        bytes = all;
    }

    /**
     * Refuses to begin where there is too little room.
     *
     * @throws IllegalArgumentException if the file system has less room than the weights take
     */
    void checkRoom() {
        Path there = folder.toAbsolutePath();
        while (there != null && !Files.exists(there)) {
            there = there.getParent();
        }
        try {
            FileStore store = Files.getFileStore(there);
            // A store that does not know says 0.
            long room = store.getUsableSpace();
            if (room > 0 && room < bytes + BESIDE) {
                throw new IllegalArgumentException(
                        String.format(
                                Locale.ROOT,
                                "%s needs %.2f GB for the weights, and %.2f GB are left there",
                                folder,
                                bytes / 1e9,
                                room / 1e9));
            }
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot write " + folder + ": " + e.getMessage(), e);
        }
    }

    /**
     * Writes the files, the index last, and removes those of other names that the folder had
     * instead.
     *
     * @throws IllegalArgumentException if a file cannot be written, or a value does not fit
     */
    void write(Map<String, String> metadata) {
        Set<Path> old = filesThere();
        JsonObject map = new JsonObject();
        for (int i = 0; i < shards.size(); i++) {
            String name =
                    shards.size() == 1
                            ? ModelFolder.WEIGHTS
                            : String.format(
                                    Locale.ROOT,
                                    "model-%05d-of-%05d.safetensors",
                                    i + 1,
                                    shards.size());
            Safetensors.write(folder.resolve(name), shards.get(i), metadata, types);
            written.add(folder.resolve(name));
            shards.get(i).keySet().forEach(tensor -> map.addProperty(tensor, name));
        }
        if (shards.size() > 1) {
            Path index = folder.resolve(ModelFolder.INDEX);
            AtomicFile.write(index, index(map));
            written.add(index);
        }
        old.removeAll(written);
        try {
            for (Path file : old) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "older weights cannot be removed: " + e.getMessage(), e);
        }
    }

    /** Returns whether the folder still has the weights that it had. */
    boolean untouched() {
        return written.isEmpty();
    }

    private String index(JsonObject map) {
        JsonObject metadata = new JsonObject();
        metadata.addProperty(
                "total_parameters",
                tensors.values().stream().mapToLong(source -> source.shape().size()).sum());
        metadata.addProperty("total_size", bytes);
        JsonObject json = new JsonObject();
        json.add("metadata", metadata);
        json.add("weight_map", map);
        return new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create().toJson(json)
                + "\n";
    }

    /** The weights that the folder has, so far as an index of its own names them. */
    private Set<Path> filesThere() {
        Set<Path> files = new HashSet<>();
        Path single = folder.resolve(ModelFolder.WEIGHTS);
        if (Files.exists(single)) {
            files.add(single);
        }
        Path index = folder.resolve(ModelFolder.INDEX);
        if (Files.exists(index)) {
            files.add(index);
            try {
                files.addAll(SafetensorsIndex.read(index).files().values());
            } catch (IllegalArgumentException e) {
                return files; // which files a broken index meant, nobody knows
            }
        }
        return files;
    }
}
