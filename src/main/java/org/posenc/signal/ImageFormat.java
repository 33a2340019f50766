package org.posenc.signal;

import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorConvertOp;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.ImageOutputStream;

/**
 * An image as its file held it. A signal of (height, width, C): grey, grey and alpha, red, green
 * and blue, or these and alpha, which is not multiplied into the colours.
 *
 * <p>Values stand as in the file, divided by the greatest its depth holds; a profile other than
 * sRGB is converted to sRGB, and a photograph is turned upright as its camera noted. Palettes and
 * files that are neither PNG nor JPEG are written as PNG.
 *
 * @param container the kind of file
 * @param bits 8 or 16 a value
 * @param colour whether there are red, green and blue, or one grey
 * @param alpha whether there is an opacity
 */
public record ImageFormat(Container container, int bits, boolean colour, boolean alpha)
        implements SignalFormat {

    /** The kinds of file that are written. */
    public enum Container {
        /** Portable network graphics: every depth, without loss. */
        PNG,
        /** 8 bits without alpha, with loss. */
        JPEG
    }

    private static final float QUALITY = 0.95f;

    /** Checks the values. */
    public ImageFormat {
        if (bits != 8 && bits != 16 || container == Container.JPEG && (bits != 8 || alpha)) {
            throw new IllegalArgumentException(
                    "an image must have 8 or 16 bits, a JPEG 8 and no alpha, got a "
                            + container
                            + " of "
                            + bits
                            + (alpha ? " with alpha" : ""));
        }
    }

    /**
     * Returns the values of a sample.
     *
     * @return C, from 1 to 4
     */
    public int channels() {
        return (colour ? 3 : 1) + (alpha ? 1 : 0);
    }

    /**
     * Returns what the file holds where a value is 1.
     *
     * @return 255 or 65535
     */
    public int white() {
        return (1 << bits) - 1;
    }

    @Override
    public String extension() {
        return container == Container.PNG ? "png" : "jpg";
    }

    @Override
    public String description() {
        return bits
                + "-bit "
                + (colour ? "RGB" : "grey")
                + (alpha ? (colour ? "A " : " and alpha ") : " ")
                + container;
    }

    static SignalFile read(Path file) throws IOException {
        JpegHeader header = JpegHeader.read(file);
        if (header.components() == 4) {
            throw new IllegalArgumentException(
                    file + " is a JPEG of four inks (CMYK): save it as RGB first");
        }
        try (ImageInputStream in = ImageIO.createImageInputStream(file.toFile())) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
            if (!readers.hasNext()) {
                throw broken(file, null);
            }
            ImageReader reader = readers.next();
            try {
                List<String> warnings = new ArrayList<>();
                reader.addIIOReadWarningListener((source, warning) -> warnings.add(warning));
                reader.setInput(in, true, true);
                requireRoom(file, reader);
                BufferedImage image = reader.read(0);
                // What libjpeg says of a file that ends too soon; the rest would be grey.
                if (warnings.stream().anyMatch(w -> w.matches("(?s).*(Premature|premature).*"))) {
                    throw new IllegalArgumentException(file + " ends before its image does");
                }
                Container container = header.components() > 0 ? Container.JPEG : Container.PNG;
                return of(file, header.upright(image), container);
            } finally {
                reader.dispose();
            }
        } catch (IllegalArgumentException e) {
            throw e.getMessage() != null && e.getMessage().startsWith(file.toString())
                    ? e
                    : broken(file, e);
        } catch (IOException | RuntimeException e) {
            throw broken(file, e);
        }
    }

    private static IllegalArgumentException broken(Path file, Exception cause) {
        return new IllegalArgumentException(file + " is not a whole image that can be read", cause);
    }

    private static void requireRoom(Path file, ImageReader reader) throws IOException {
        SignalFile.requireRoom(file, new int[] {reader.getHeight(0), reader.getWidth(0)}, 4);
    }

    private static SignalFile of(Path file, BufferedImage image, Container container) {
        BufferedImage own = inStandardColours(image);
        ColorModel model = own.getColorModel();
        int deepest = Arrays.stream(model.getComponentSize()).max().orElseThrow();
        int bits = deepest > 8 ? 16 : 8;
        boolean alpha = model.hasAlpha();
        if (model instanceof IndexColorModel palette) {
            boolean colour = !isGrey(palette);
            return new SignalFile(
                    ofPalette(own.getRaster(), palette, colour, alpha),
                    new ImageFormat(Container.PNG, 8, colour, alpha));
        }
        boolean colour = model.getColorSpace().getType() != ColorSpace.TYPE_GRAY;
        ImageFormat format = new ImageFormat(container, bits, colour, alpha);
        if (own.getRaster().getNumBands() != format.channels()) {
            throw broken(file, null);
        }
        return new SignalFile(ofBands(own.getRaster()), format);
    }

    /** Grey values stand as they are: Java would take them for linear light and brighten them. */
    private static BufferedImage inStandardColours(BufferedImage image) {
        ColorSpace space = image.getColorModel().getColorSpace();
        if (space.isCS_sRGB() || space.getType() == ColorSpace.TYPE_GRAY) {
            return image;
        }
        BufferedImage converted =
                new BufferedImage(
                        image.getWidth(),
                        image.getHeight(),
                        image.getColorModel().hasAlpha()
                                ? BufferedImage.TYPE_4BYTE_ABGR
                                : BufferedImage.TYPE_3BYTE_BGR);
        return new ColorConvertOp(null).filter(image, converted);
    }

    private static Signal ofBands(Raster raster) {
        int channels = raster.getNumBands();
        int width = raster.getWidth();
        int height = raster.getHeight();
        float[] values = new float[height * width * channels];
        double[] whites = new double[channels];
        Arrays.setAll(whites, c -> (1L << raster.getSampleModel().getSampleSize(c)) - 1.0);
        int[] row = new int[width * channels];
        for (int i = 0; i < height; i++) {
            raster.getPixels(0, i, width, 1, row);
            for (int j = 0; j < row.length; j++) {
                values[i * row.length + j] = (float) (row[j] / whites[j % channels]);
            }
        }
        return new Signal(new int[] {height, width}, channels, values);
    }

    private static Signal ofPalette(
            Raster raster, IndexColorModel palette, boolean colour, boolean alpha) {
        int channels = (colour ? 3 : 1) + (alpha ? 1 : 0);
        int width = raster.getWidth();
        int height = raster.getHeight();
        float[] values = new float[height * width * channels];
        int[] row = new int[width];
        for (int i = 0; i < height; i++) {
            raster.getPixels(0, i, width, 1, row);
            for (int j = 0; j < width; j++) {
                int argb = palette.getRGB(row[j]);
                int at = (i * width + j) * channels;
                for (int c = 0; c < (colour ? 3 : 1); c++) {
                    values[at + c] = (float) ((argb >> 16 - 8 * c & 255) / 255.0);
                }
                if (alpha) {
                    values[at + channels - 1] = (float) ((argb >>> 24) / 255.0);
                }
            }
        }
        return new Signal(new int[] {height, width}, channels, values);
    }

    private static boolean isGrey(IndexColorModel palette) {
        for (int i = 0; i < palette.getMapSize(); i++) {
            if (palette.getRed(i) != palette.getGreen(i)
                    || palette.getRed(i) != palette.getBlue(i)) {
                return false;
            }
        }
        return true;
    }

    /**
     * Returns a signal as an image of this depth and these channels; values beyond [0, 1] are
     * clipped.
     *
     * @param signal (height, width, C)
     * @return the image
     * @throws IllegalArgumentException if the signal has other axes or channels
     */
    public BufferedImage image(Signal signal) {
        SignalFormat.require(
                signal.axes() == 2 && signal.channels() == channels(),
                signal,
                "a " + description());
        int height = signal.sides()[0];
        int width = signal.sides()[1];
        ColorModel model =
                new ComponentColorModel(
                        ColorSpace.getInstance(colour ? ColorSpace.CS_sRGB : ColorSpace.CS_GRAY),
                        alpha,
                        false,
                        alpha ? Transparency.TRANSLUCENT : Transparency.OPAQUE,
                        bits == 8 ? DataBuffer.TYPE_BYTE : DataBuffer.TYPE_USHORT);
        WritableRaster raster = model.createCompatibleWritableRaster(width, height);
        int[] row = new int[width * channels()];
        for (int i = 0; i < height; i++) {
            for (int j = 0; j < row.length; j++) {
                float value = signal.values()[i * row.length + j];
                row[j] = Math.round(white() * Math.min(1, Math.max(0, value)));
            }
            raster.setPixels(0, i, width, 1, row);
        }
        return new BufferedImage(model, raster, false, null);
    }

    @Override
    public void encode(Signal signal, OutputStream out) throws IOException {
        BufferedImage image = image(signal);
        if (container == Container.PNG) {
            ImageIO.write(image, "png", out);
            return;
        }
        ImageWriter writer =
                ImageIO.getImageWriters(ImageTypeSpecifier.createFromRenderedImage(image), "jpeg")
                        .next();
        try (ImageOutputStream stream = ImageIO.createImageOutputStream(out)) {
            ImageWriteParam param = writer.getDefaultWriteParam();
            param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
            param.setCompressionQuality(QUALITY);
            writer.setOutput(stream);
            writer.write(null, new IIOImage(image, null, null), param);
        } finally {
            writer.dispose();
        }
    }
}
