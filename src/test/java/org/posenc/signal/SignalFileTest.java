package org.posenc.signal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.testing.Goldens;

/** Against files by Pillow, SciPy and NumPy ({@code test-data/scripts/signals.py}). */
class SignalFileTest {

    private static final Path FILES = Path.of("test-data", "signals");

    @TempDir private Path folder;

    private static JsonObject expected() throws IOException {
        return JsonParser.parseString(Files.readString(FILES.resolve("expected.json")))
                .getAsJsonObject()
                .getAsJsonObject("files");
    }

    private static List<String> names() throws IOException {
        return List.copyOf(expected().keySet());
    }

    @ParameterizedTest
    @MethodSource("names")
    void readsWhatOthersWrote(String name) throws IOException {
        JsonObject golden = expected().getAsJsonObject(name);
        Signal signal = SignalFile.read(FILES.resolve(name)).signal();
        assertThat(Arrays.stream(signal.sides()).asDoubleStream().toArray())
                .containsExactly(Goldens.flat(golden.get("sides")));
        assertThat(signal.channels()).isEqualTo(golden.get("channels").getAsInt());
        double[] values = Goldens.flat(golden.get("values"));
        // JPEG leaves its decoders a step of freedom; all else is exact.
        float step = name.endsWith(".jpg") ? 2 / 255f : 6e-8f;
        for (int i = 0; i < values.length; i++) {
            assertThat(signal.values()[i])
                    .as("value %d", i)
                    .isCloseTo((float) values[i], Offset.offset(step));
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void writesAlikeWhatItRead(String name) throws IOException {
        SignalFile read = SignalFile.read(FILES.resolve(name));
        Path copy = folder.resolve("copy." + read.format().extension());
        read.format().write(read.signal(), copy);
        SignalFile again = SignalFile.read(copy);
        if (!name.endsWith(".gif") && !name.endsWith(".bmp")) {
            assertThat(again.format()).isEqualTo(read.format());
        }
        assertThat(again.signal().sides()).containsExactly(read.signal().sides());
        for (int i = 0; i < read.signal().values().length; i++) {
            assertThat(again.signal().values()[i])
                    .isCloseTo(
                            read.signal().values()[i],
                            Offset.offset(name.endsWith(".jpg") ? 12 / 255f : 1.2e-7f));
        }
        assertThat(SignalFormat.parse(read.format().toJson())).isEqualTo(read.format());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "pcm-8.wav",
                "pcm-16.wav",
                "volume-u1.npy",
                "volume-u2.npy",
                "truth.npy",
                "video-i1.npy",
                "video-i2.npy",
                "video-f2.npy",
                "unit.npy"
            })
    void writesTheVeryBytes(String name) throws IOException {
        SignalFile read = SignalFile.read(FILES.resolve(name));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        read.format().encode(read.signal(), out);
        assertThat(out.toByteArray()).isEqualTo(Files.readAllBytes(FILES.resolve(name)));
    }

    @Test
    void formatsAreSaidInWords() {
        assertThat(SignalFile.read(FILES.resolve("rgba-16.png")).format().description())
                .isEqualTo("16-bit RGBA PNG");
        assertThat(SignalFile.read(FILES.resolve("grey.jpg")).format().description())
                .isEqualTo("8-bit grey JPEG");
        assertThat(SignalFile.read(FILES.resolve("pcm-24.wav")).format().description())
                .isEqualTo("24-bit PCM WAV, 44100 Hz");
        assertThat(SignalFile.read(FILES.resolve("volume-u2.npy")).format().description())
                .isEqualTo("NumPy array of type <u2");
    }

    @Test
    void channelsOfAnArrayAreGuessedOrTold() throws IOException {
        Path video = FILES.resolve("video-f4.npy"); // (2, 3, 4, 3)
        assertThat(SignalFile.read(video).signal().sides()).containsExactly(2, 3, 4);
        Signal all = SignalFile.read(video, ChannelAxis.NONE).signal();
        assertThat(all.sides()).containsExactly(2, 3, 4, 3);
        assertThat(all.channels()).isEqualTo(1);
        Path volume = FILES.resolve("volume-u1.npy"); // (3, 4, 5)
        assertThat(SignalFile.read(volume).signal().channels()).isEqualTo(1);
        assertThat(SignalFile.read(volume, ChannelAxis.LAST).signal().channels()).isEqualTo(5);
    }

    @Test
    void aTableKeepsItsHeaderItsTimeAndItsUnits() throws IOException {
        Path file = folder.resolve("sensor.csv");
        Files.writeString(
                file, "\uFEFFt; \"volt\" ;celsius\n0;1.5;20\n0.1;-0.5;21\n0.2;0.5;22\n0.3;1;20\n");
        SignalFile read = SignalFile.read(file);
        assertThat(read.signal().sides()).containsExactly(4);
        assertThat(read.signal().channels()).isEqualTo(2);
        assertThat(read.signal().values()).containsExactly(1, 0, 0, 0.5f, 0.5f, 1, 0.75f, 0);
        read.format().write(read.signal(), folder.resolve("copy.csv"));
        assertThat(folder.resolve("copy.csv"))
                .content()
                .isEqualTo("t;volt;celsius\n0;1.5;20\n0.1;-0.5;21\n0.2;0.5;22\n0.3;1;20\n");
        assertThat(((CsvFormat) read.format().resampled(2)).time().get(1))
                .isCloseTo(0.05, Offset.offset(1e-12));
        assertThat(SignalFormat.parse(read.format().toJson())).isEqualTo(read.format());
    }

    @Test
    void aTableNeedsNoHeaderNorTime() throws IOException {
        Path file = folder.resolve("one.txt");
        Files.writeString(file, "# volts\n3\n3\n\n3\n");
        SignalFile constant = SignalFile.read(file);
        assertThat(constant.signal().values()).containsExactly(0, 0, 0);
        Files.writeString(file, "1 2 9\n2 4 8\n4 1 7\n");
        Signal three = SignalFile.read(file).signal();
        assertThat(three.channels()).isEqualTo(3);
        assertThat(three.values()).containsExactly(0, 1 / 3f, 1, 1 / 3f, 1, 0.5f, 1, 0, 0);
    }

    @Test
    void aSoundSampledMoreDenselyPlaysAsLong() {
        SignalFile sound = SignalFile.read(FILES.resolve("pcm-16.wav"));
        assertThat(((WaveFormat) sound.format().resampled(4)).sampleRate()).isEqualTo(32000);
        Signal image = SignalFile.read(FILES.resolve("rgb.png")).signal();
        assertThatThrownBy(() -> sound.format().write(image, folder.resolve("no.wav")))
                .hasMessageContaining("WAV, 8000 Hz, 2 channels cannot hold a Signal 5 × 7");
        assertThat(folder).isEmptyDirectory();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"rgb.png", "rgb.jpg", "pcm-24.wav", "unit.npy", "rgb-16.png", "rgb.bmp"})
    void aTornFileIsSaid(String name) throws IOException {
        byte[] whole = Files.readAllBytes(FILES.resolve(name));
        for (int length : new int[] {13, 30, whole.length / 2, whole.length * 3 / 4}) {
            Path torn = Files.write(folder.resolve(name), Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> SignalFile.read(torn))
                    .as("%d of %d bytes", length, whole.length)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(name);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "empty.png, '', is empty",
        "no-signal, 'hello', is no signal that can be read",
        "text.png, 'hello', is not the PNG image that its name says",
        "text.wav, 'hello', is not the WAV sound that its name says",
        "words.csv, 'a b c', holds no numbers",
        "blank.csv, '# nothing', holds no numbers",
        "gap.csv, '1,2;3,,4;', 'got \"\" in line 2, column 2'",
        "nan.csv, '1;nan;', 'got \"nan\" in line 2'",
        "ragged.csv, '1,2;3;', 'must have as many columns in every line, got 1 in line 2 and 2'",
        "cut.wav, 'RIFFxxxxWAVE', ends before its sound does",
    })
    void whatIsNoSignalIsSaid(String name, String text, String sentence) throws IOException {
        Path file = Files.writeString(folder.resolve(name), text.replace(';', '\n'));
        assertThatThrownBy(() -> SignalFile.read(file))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(name)
                .hasMessageContaining(sentence);
    }

    @Test
    void otherNamesAndInksAreSaid() throws IOException {
        Path disguised = folder.resolve("photo.jpg");
        Files.copy(FILES.resolve("rgb.png"), disguised);
        assertThatThrownBy(() -> SignalFile.read(disguised))
                .hasMessageEndingWith("photo.jpg holds a PNG image: its name must end in .png");
        assertThatThrownBy(() -> SignalFile.read(FILES.resolve("cmyk.jpg")))
                .hasMessageContaining("is a JPEG of four inks (CMYK): save it as RGB first");
        assertThatThrownBy(() -> SignalFile.read(folder)).hasMessageContaining("is a folder");
        assertThatThrownBy(() -> SignalFile.read(folder.resolve("none.png")))
                .hasMessageContaining("there is no file");
        Path missing = Path.of("test-data", "npy", "float64_3.npy"); // ends in an infinity
        assertThatThrownBy(() -> SignalFile.read(missing))
                .hasMessageContaining("must hold finite numbers, got Infinity as number 2 of 3");
        assertThatThrownBy(() -> SignalFile.read(Path.of("test-data", "npy", "float64_0x4.npy")))
                .hasMessageContaining("got the shape [0, 4]");
    }

    @Test
    void anAbsurdSizeIsRefusedBeforeItIsDecoded() throws IOException {
        byte[] png = Files.readAllBytes(FILES.resolve("rgb.png"));
        Arrays.fill(png, 16, 18, (byte) 0x7f); // width and height of many millions
        Arrays.fill(png, 20, 22, (byte) 0x7f);
        java.util.zip.CRC32 sum = new java.util.zip.CRC32();
        sum.update(png, 12, 17);
        java.nio.ByteBuffer.wrap(png).putInt(29, (int) sum.getValue());
        Path file = Files.write(folder.resolve("huge.png"), png);
        assertThatThrownBy(() -> SignalFile.read(file))
                .hasMessageContaining("huge.png holds 2139029509 × 2139029511 samples")
                .hasMessageContaining("Java's memory here takes at most");
    }
}
