package org.posenc.experiment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PictureTest {

    @TempDir Path folder;

    /** Pixel (i, j) has red i/10, green j/10 and blue 1. */
    private static Picture gradient(int width, int height) {
        float[] values = new float[3 * width * height];
        for (int n = 0; n < width * height; n++) {
            values[3 * n] = (n / width) / 10f;
            values[3 * n + 1] = (n % width) / 10f;
            values[3 * n + 2] = 1;
        }
        return new Picture(width, height, values);
    }

    @Test
    void trainsOnEverySecondPixelAndHoldsOutTheOthers() {
        Picture picture = gradient(5, 4);
        Picture.Samples training = picture.training();
        Picture.Samples heldOut = picture.heldOut();
        assertThat(training.count()).isEqualTo(3 * 2);
        assertThat(heldOut.count()).isEqualTo(5 * 4 - 3 * 2);
        // The last training pixel is row 2, column 4.
        assertThat(training.points()[10]).isEqualTo(4f / 5);
        assertThat(training.points()[11]).isEqualTo(2f / 4);
        assertThat(training.colours()[15]).isEqualTo(0.2f);
        assertThat(training.colours()[16]).isEqualTo(0.4f);
        // The first pixel held out is row 0, column 1.
        assertThat(heldOut.points()[0]).isEqualTo(1f / 5);
        assertThat(heldOut.points()[1]).isZero();
        assertThat(heldOut.colours()[1]).isEqualTo(0.1f);
        assertThat(picture.all().colours()).containsExactly(picture.values());
    }

    @Test
    void readsAnImageAsItIsAndReducesByAveraging() throws IOException {
        BufferedImage image = new BufferedImage(8, 8, BufferedImage.TYPE_INT_ARGB);
        for (int y = 0; y < 8; y++) {
            for (int x = 0; x < 8; x++) {
                image.setRGB(x, y, (x + y) % 2 == 0 ? 0xffffffff : 0xff000000);
            }
        }
        image.setRGB(0, 0, 0x00ffffff); // transparent: black
        Path file = folder.resolve("board.png");
        ImageIO.write(image, "png", file.toFile());
        Picture whole = Picture.read(file, 100);
        assertThat(whole.width()).isEqualTo(8);
        assertThat(whole.values()[0]).isZero();
        assertThat(whole.values()[3 * 9]).isEqualTo(1);
        Picture half = Picture.read(file, 4);
        assertThat(half.width()).isEqualTo(4);
        assertThat(half.values()[3 * 5]).isEqualTo(0.5f);
        assertThat(half.values()[0]).isEqualTo(0.25f);
        ImageIO.write(whole.image(), "png", file.toFile());
        assertThat(Picture.read(file, 100).values()).containsExactly(whole.values());
    }

    @Test
    void greyValuesStandAsInTheFile() throws IOException {
        for (int type : new int[] {BufferedImage.TYPE_BYTE_GRAY, BufferedImage.TYPE_USHORT_GRAY}) {
            BufferedImage image = new BufferedImage(8, 4, type);
            int white = type == BufferedImage.TYPE_BYTE_GRAY ? 255 : 65535;
            image.getRaster().setSample(3, 2, 0, white / 5);
            image.getRaster().setSample(7, 3, 0, white);
            Path file = folder.resolve("grey.png");
            ImageIO.write(image, "png", file.toFile());
            float[] values = Picture.read(file, 100).values();
            assertThat(values[0]).isZero();
            assertThat(values[3 * (2 * 8 + 3)]).isCloseTo(0.2f, Offset.offset(1e-6f));
            assertThat(values[3 * (2 * 8 + 3) + 2]).isCloseTo(0.2f, Offset.offset(1e-6f));
            assertThat(values[3 * (3 * 8 + 7) + 1]).isEqualTo(1);
        }
    }

    @Test
    void saysWhatIsNoImage() throws IOException {
        Path text = Files.writeString(folder.resolve("notes.png"), "not an image");
        assertThatThrownBy(() -> Picture.read(text, 128))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("notes.png");
        assertThatThrownBy(() -> Picture.read(folder.resolve("none.png"), 128))
                .hasMessageContaining("there is no file");
        BufferedImage line = new BufferedImage(300, 2, BufferedImage.TYPE_INT_RGB);
        Path thin = folder.resolve("line.png");
        ImageIO.write(line, "png", thin.toFile());
        assertThatThrownBy(() -> Picture.read(thin, 128))
                .hasMessageContaining("300 × 2")
                .hasMessageEndingWith("have at least 4 when the longer is reduced to 128");
        assertThatThrownBy(() -> Picture.read(thin, 300)).hasMessageEndingWith("at least 4");
    }
}
