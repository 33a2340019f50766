package org.posenc.experiment.reproduction;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.posenc.report.Png;
import org.posenc.report.ResultRow;

/** What trials left as pictures, in the folder {@code fits} beside the results. */
public final class Pictures {

    /** The label of a result that lists its pictures. */
    static final String LABEL = "pictures";

    private final Path folder;

    Pictures(Path out) {
        folder = out.resolve("fits");
    }

    void write(String key, String name, BufferedImage image) {
        Png.write(image, path(key, name));
    }

    /** Returns whether all that a result lists is there. */
    boolean has(ResultRow row) {
        return names(row).stream().allMatch(name -> Files.exists(path(row.key(), name)));
    }

    /**
     * Reads a picture.
     *
     * @param row the trial's result
     * @param name the picture's name
     * @return the picture
     * @throws IllegalArgumentException if there is none of that name, or it cannot be read
     */
    public BufferedImage of(ResultRow row, String name) {
        if (!names(row).contains(name)) {
            throw new IllegalArgumentException(
                    "there is no picture \"" + name + "\" of " + row.key());
        }
        Path path = path(row.key(), name);
        try {
            return ImageIO.read(path.toFile());
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot read " + path, e);
        }
    }

    private static List<String> names(ResultRow row) {
        String names = row.labels().getOrDefault(LABEL, "");
        return names.isEmpty() ? List.of() : Arrays.asList(names.split(","));
    }

    private Path path(String key, String name) {
        return folder.resolve(key.replace('/', '-') + "-" + name + ".png");
    }
}
