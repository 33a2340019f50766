package org.posenc.experiment.reproduction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SubjectTest {

    @TempDir private Path folder;

    /** Grey, brighter from left to right, with a red column at the left edge. */
    private Path image(int width, int height) throws IOException {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < height; i++) {
            for (int j = 0; j < width; j++) {
                image.setRGB(j, i, j == 0 ? 0xff0000 : 0x010101 * j);
            }
        }
        Path file = folder.resolve("image.png");
        ImageIO.write(image, "png", file.toFile());
        return file;
    }

    @Test
    void aPhotographIsItsMiddleSquare() throws IOException {
        Subject subject = new Subject.Photograph(image(40, 20));
        double[] colours = subject.colours(20);
        assertThat(colours).hasSize(3 * 20 * 20);
        for (int j = 0; j < 20; j++) {
            assertThat(colours[3 * (20 * 7 + j)]).isCloseTo((10 + j) / 255.0, within(1e-6));
        }
    }

    @Test
    void itIsReducedByAveraging() throws IOException {
        double[] colours = new Subject.Photograph(image(20, 40)).colours(10);
        assertThat(colours[3 * 3]).isCloseTo(6.5 / 255, within(1e-6));
        assertThat(colours[0]).isCloseTo((255 + 1) / 2.0 / 255, within(1e-6));
        assertThat(colours[1]).isCloseTo(0.5 / 255, within(1e-6));
    }

    @Test
    void greyIsTheNotebooksWeighting() throws IOException {
        double[] grey = new Subject.Photograph(image(20, 20)).grey(20);
        assertThat(grey[20 * 4]).isCloseTo(0.2125, within(1e-6));
        assertThat(grey[20 * 4 + 9]).isCloseTo(9 / 255.0, within(1e-6));
    }

    @Test
    void aRowIsARow() {
        Subject subject = new Subject.Synthetic(1);
        double[] grey = subject.grey(16);
        double[][] rows = subject.greyRows(new int[] {3, 0}, 16);
        assertThat(rows[0][5]).isEqualTo(grey[3 * 16 + 5]);
        assertThat(rows[1][15]).isEqualTo(grey[15]);
    }

    @Test
    void tooFewPixelsAreRefusedWithTheirNumber() throws IOException {
        Subject subject = new Subject.Photograph(image(40, 20));
        assertThatThrownBy(() -> subject.colours(21))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at least 21 × 21 pixels")
                .hasMessageContaining("has 40 × 20");
    }

    @Test
    void anotherFileIsAnotherSubject() throws IOException {
        Path file = image(8, 8);
        String before = new Subject.Photograph(file).identity();
        Files.copy(image(9, 9), folder.resolve("other.png"));
        assertThat(new Subject.Photograph(file).identity()).isNotEqualTo(before);
        assertThat(new Subject.Synthetic(1).identity())
                .isNotEqualTo(new Subject.Synthetic(2).identity());
    }
}
