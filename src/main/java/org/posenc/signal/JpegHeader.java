package org.posenc.signal;

import java.awt.geom.AffineTransform;
import java.awt.image.AffineTransformOp;
import java.awt.image.BufferedImage;
import java.awt.image.WritableRaster;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What Java's reader does not tell of a JPEG file: how many inks it has, and how the camera was
 * held (tag 0x112 of <a href="https://www.cipa.jp/std/documents/e/DC-008-2012_E.pdf">Exif</a>).
 *
 * @param components 0 where the file is no JPEG
 * @param orientation 1 to 8, as Exif numbers them; 1 is upright
 */
record JpegHeader(int components, int orientation) {

    private static final int ORIENTATION_TAG = 0x112;
    private static final byte[] EXIF = "Exif\0\0".getBytes(StandardCharsets.ISO_8859_1);
    // Headers with previews and profiles are far shorter.
    private static final int MOST = 1 << 22;

    static JpegHeader read(Path file) throws IOException {
        byte[] bytes;
        try (var in = Files.newInputStream(file)) {
            bytes = in.readNBytes(MOST);
        }
        return of(ByteBuffer.wrap(bytes));
    }

    private static JpegHeader of(ByteBuffer file) {
        if (file.remaining() < 4 || (file.getShort(0) & 0xffff) != 0xffd8) {
            return new JpegHeader(0, 1);
        }
        int orientation = 1;
        int at = 2;
        while (at + 10 <= file.limit()) {
            int marker = file.getShort(at) & 0xffff;
            int length = file.getShort(at + 2) & 0xffff;
            boolean frame =
                    marker >= 0xffc0
                            && marker <= 0xffcf
                            && marker != 0xffc4
                            && marker != 0xffc8
                            && marker != 0xffcc;
            if (frame) {
                return new JpegHeader(file.get(at + 9) & 0xff, orientation);
            }
            if (marker == 0xffe1 && at + 2 + length <= file.limit()) {
                orientation = orientation(file.slice(at + 4, length - 2), orientation);
            }
            at += 2 + length;
        }
        return new JpegHeader(3, orientation); // torn: the reader will say so
    }

    private static int orientation(ByteBuffer segment, int otherwise) {
        if (segment.remaining() < EXIF.length + 8
                || segment.slice(0, EXIF.length).mismatch(ByteBuffer.wrap(EXIF)) >= 0) {
            return otherwise;
        }
        ByteBuffer tiff = segment.slice(EXIF.length, segment.remaining() - EXIF.length);
        tiff.order(tiff.get(0) == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        try {
            int directory = tiff.getInt(4);
            int entries = tiff.getShort(directory) & 0xffff;
            for (int i = 0; i < entries; i++) {
                int entry = directory + 2 + 12 * i;
                int value = tiff.getShort(entry + 8);
                if (tiff.getShort(entry) == ORIENTATION_TAG && value >= 1 && value <= 8) {
                    return value;
                }
            }
        } catch (IndexOutOfBoundsException e) {
            return otherwise; // notes of a camera that cannot be read turn nothing
        }
        return otherwise;
    }

    /** Turns a photograph as the camera noted. */
    BufferedImage upright(BufferedImage image) {
        if (orientation == 1) {
            return image;
        }
        int w = image.getWidth();
        int h = image.getHeight();
        // (x, y) of the file goes to (a x + c y + e, b x + d y + f).
        AffineTransform turn =
                switch (orientation) {
                    case 2 -> new AffineTransform(-1, 0, 0, 1, w, 0);
                    case 3 -> new AffineTransform(-1, 0, 0, -1, w, h);
                    case 4 -> new AffineTransform(1, 0, 0, -1, 0, h);
                    case 5 -> new AffineTransform(0, 1, 1, 0, 0, 0);
                    case 6 -> new AffineTransform(0, 1, -1, 0, h, 0);
                    case 7 -> new AffineTransform(0, -1, -1, 0, h, w);
                    default -> new AffineTransform(0, -1, 1, 0, 0, w);
                };
        boolean sideways = orientation >= 5;
        WritableRaster turned =
                image.getRaster()
                        .createCompatibleWritableRaster(sideways ? h : w, sideways ? w : h);
        new AffineTransformOp(turn, AffineTransformOp.TYPE_NEAREST_NEIGHBOR)
                .filter(image.getRaster(), turned);
        return new BufferedImage(image.getColorModel(), turned, false, null);
    }
}
