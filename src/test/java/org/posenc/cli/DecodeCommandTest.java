package org.posenc.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.posenc.encoding.Space;
import org.posenc.model.CoordinateActivation;
import org.posenc.signal.ChosenEncoding;
import org.posenc.signal.DeadLeaves;
import org.posenc.signal.Fidelity;
import org.posenc.signal.FittedSignal;
import org.posenc.signal.ImageFormat;
import org.posenc.signal.NetworkPlan;
import org.posenc.signal.Signal;
import org.posenc.signal.SignalCode;
import org.posenc.signal.SignalFile;
import org.posenc.signal.SignalFormat;
import org.posenc.signal.Tiles;
import org.posenc.signal.WaveFormat;
import org.posenc.testing.ClosedForm;

class DecodeCommandTest {

    @TempDir Path folder;

    private static ChosenEncoding axis(int n) {
        return new ChosenEncoding("gaussian", new Space(1, n / 2, n, true, 0), Map.of());
    }

    private static Signal leaves(int side) {
        double[] leaves = DeadLeaves.image(side, 3);
        float[] values = new float[leaves.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) leaves[i];
        }
        return new Signal(new int[] {side, side}, 3, values);
    }

    private Path image() {
        Signal image = leaves(64).part(new int[] {0, 4}, new int[] {48, 60});
        return coded(image, new ImageFormat(ImageFormat.Container.PNG, 16, true, false));
    }

    private Path coded(Signal signal, SignalFormat format) {
        Path file = folder.resolve("a.posenc");
        List<ChosenEncoding> axes = List.of(axis(48), axis(60)).subList(0, signal.axes());
        NetworkPlan plan =
                new NetworkPlan(
                        axes,
                        true,
                        0,
                        1,
                        new CoordinateActivation.Relu(),
                        signal.channels(),
                        false);
        try (NDManager manager = NDManager.newBaseManager()) {
            FittedSignal fitted = ClosedForm.of(signal, plan, Tiles.whole(signal.sides()), manager);
            SignalCode.of(fitted, new SignalFile(signal, format), 0.1, manager).write(file);
        }
        return file;
    }

    @Test
    void writesTheSignalInItsFormatAtAnyResolution() throws IOException {
        Path file = image();
        Path out = folder.resolve("b.png");
        Console plain = Console.run("decode", file.toString());
        assertThat(plain.code()).as(plain.err()).isZero();
        assertThat(plain.out()).contains("a.decoded.png: 60 × 48, 16-bit RGB PNG");
        SignalFile own = SignalFile.read(folder.resolve("a.decoded.png"));
        assertThat(own.signal().sides()).containsExactly(48, 60);
        assertThat(own.format()).isEqualTo(SignalCode.read(file).format());
        byte[] first = Files.readAllBytes(folder.resolve("a.decoded.png"));
        Console.run("decode", file.toString(), "--out=" + out);
        assertThat(Files.readAllBytes(out)).isEqualTo(first);

        // Every fourth sample of four times as many is the signal's own.
        Console.run("decode", file.toString(), "--upscale=4", "--out=" + out);
        Signal large = SignalFile.read(out).signal();
        assertThat(large.sides()).containsExactly(192, 240);
        for (int i = 0; i < 48; i++) {
            for (int j = 0; j < 60; j++) {
                int at = (4 * i * 240 + 4 * j) * 3;
                assertThat(Math.abs(large.values()[at] - own.signal().values()[(i * 60 + j) * 3]))
                        .isLessThan(2f / 65535);
            }
        }
        Console.run("decode", file.toString(), "--size=33x21", "--out=" + out);
        assertThat(SignalFile.read(out).signal().sides()).containsExactly(21, 33);

        // A region of the signal, in its own samples, is what lies there.
        Console.run(
                "decode", file.toString(), "--region=20x10+30+5", "--upscale=4", "--out=" + out);
        Signal part = SignalFile.read(out).signal();
        Signal same = large.part(new int[] {20, 120}, new int[] {40, 80});
        assertThat(part.sides()).containsExactly(40, 80);
        for (int i = 0; i < part.values().length; i++) {
            assertThat(Math.abs(part.values()[i] - same.values()[i])).isLessThan(2f / 65535);
        }
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left).hasSize(3); // nothing half written
        }
    }

    /** What posenc fit wrote is decoded to what posenc fit showed, tiles and all. */
    @ParameterizedTest
    @CsvSource({
        "--tile 80, 0.1",
        "--simple --depth 2 --width 16 --steps 10 --loss 0, 0.001",
    })
    void whatWasFittedIsDecoded(String options, double loss) throws IOException {
        Path source = folder.resolve("leaves.png");
        Signal image = leaves(100).part(new int[] {0, 0}, new int[] {84, 100});
        new ImageFormat(ImageFormat.Container.PNG, 8, true, false).write(image, source);
        Path out = folder.resolve("out");
        List<String> line = new ArrayList<>(List.of("fit", source.toString(), "--upscale", "2"));
        line.addAll(List.of("--encoding", "gaussian", "--out", out.toString()));
        line.addAll(Stream.of(options.split(" ")).filter(word -> !word.isEmpty()).toList());
        Console fit = Console.run(line.toArray(String[]::new));
        assertThat(fit.code()).as(fit.err()).isZero();

        Path decoded = folder.resolve("decoded.png");
        Console.run("decode", found(out, "signal.posenc"), "--out=" + decoded);
        Signal truth = SignalFile.read(source).signal();
        Signal shown = SignalFile.read(Path.of(found(out, "reconstruction.png"))).signal();
        Signal again = SignalFile.read(decoded).signal();
        // 0.02 dB: both were clipped to [0, 1] and rounded to 8 bits.
        assertThat(Fidelity.psnr(again, truth))
                .isGreaterThan(Fidelity.psnr(shown, truth) - loss - 0.02);
        assertThat(Fidelity.psnr(again, shown)).isGreaterThan(Fidelity.psnr(shown, truth) + 6);

        Console.run("decode", found(out, "signal.posenc"), "--upscale=2", "--out=" + decoded);
        Signal larger = SignalFile.read(Path.of(found(out, "upscaled-2.png"))).signal();
        assertThat(Fidelity.psnr(SignalFile.read(decoded).signal(), larger))
                .isGreaterThan(Fidelity.psnr(shown, truth) + 6);
    }

    private static String found(Path folder, String name) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(path -> path.endsWith(name)).findFirst().orElseThrow().toString();
        }
    }

    @Test
    void aSoundSampledTwiceAsOftenHasTwiceTheSampleRate() {
        float[] values = new float[480];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (0.5 + 0.4 * Math.sin(0.05 * i));
        }
        Path file =
                coded(
                        new Signal(new int[] {480}, 1, values),
                        new WaveFormat(8000, 1, false, 16, -1));
        Path out = folder.resolve("b.wav");
        Console console = Console.run("decode", file.toString(), "--size=960", "--out=" + out);
        assertThat(console.code()).as(console.err()).isZero();
        assertThat(console.out()).contains("b.wav: 960, 16-bit PCM WAV, 16000 Hz");
        SignalFile twice = SignalFile.read(out);
        assertThat(twice.signal().sides()).containsExactly(960);
        assertThat(((WaveFormat) twice.format()).sampleRate()).isEqualTo(16000);
        for (int i = 20; i < 920; i++) { // at its ends the encoding fades
            assertThat(Math.abs(twice.signal().values()[i] - (0.5 + 0.4 * Math.sin(0.025 * i))))
                    .isLessThan(0.03);
        }
    }

    @Test
    void badInputIsOneSentence() throws IOException {
        String file = image().toString();
        Path png = folder.resolve("x.posenc");
        Files.writeString(png, "no such thing");
        String[][] lines = {
            {"decode"},
            {"decode", folder.resolve("none.posenc").toString()},
            {"decode", png.toString()},
            {"decode", folder.toString()},
            {"decode", file, "--out=a.jpg"},
            {"decode", file, "--size=64"},
            {"decode", file, "--size=64x0"},
            {"decode", file, "--size=64x64x3"},
            {"decode", file, "--size=99999x99999"},
            {"decode", file, "--size=64x64", "--upscale=2"},
            {"decode", file, "--upscale=0"},
            {"decode", file, "--upscale=NaN"},
            {"decode", file, "--upscale=1000000"},
            {"decode", file, "--region=10x10"},
            {"decode", file, "--region=10x10+5"},
            {"decode", file, "--region=10x10+51+5"},
            {"decode", file, "--device=tpu"},
        };
        for (String[] line : lines) {
            Console.run(line).assertBadInput();
        }
        assertThat(Console.run("decode", file, "--size=64").err())
                .contains("--size must be as in 60x48, got \"64\"");
        assertThat(Console.run("decode", file, "--region=64").err())
                .contains("--region must be as in 60x48+0+0, got \"64\"");
        assertThat(Console.run("decode", file, "--region=10x10+51+5").err())
                .contains("--region must lie within the 60 × 48 samples of the signal, got \"10x");
        assertThat(Console.run("decode", file, "--out=a.jpg").err())
                .contains("must end in .png, because the signal's format is 16-bit RGB PNG");
    }
}
