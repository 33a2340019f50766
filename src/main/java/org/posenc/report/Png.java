package org.posenc.report;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Base64;
import javax.imageio.ImageIO;

/** Figures and pictures as PNG files. */
public final class Png {

    private Png() {}

    /**
     * Writes a figure.
     *
     * @param figure the figure
     * @param path the file
     * @throws IllegalArgumentException if the place cannot be written to
     */
    public static void write(Figure figure, Path path) {
        write(figure.toImage(), path);
    }

    /**
     * Writes a picture.
     *
     * @param image the picture
     * @param path the file
     * @throws IllegalArgumentException if the place cannot be written to
     */
    public static void write(BufferedImage image, Path path) {
        AtomicFile.write(path, out -> out.write(bytes(image)));
    }

    static byte[] bytes(BufferedImage image) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, "png", out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    static String dataUri(BufferedImage image) {
        return "data:image/png;base64," + Base64.getEncoder().encodeToString(bytes(image));
    }
}
