package org.posenc.signal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.posenc.encoding.Space;
import org.posenc.model.CoordinateActivation;
import org.posenc.model.CoordinateMlp;
import org.posenc.testing.ClosedForm;

class SignalCodeTest {

    private static final SignalFormat PNG =
            new ImageFormat(ImageFormat.Container.PNG, 16, true, false);

    private final NDManager manager = NDManager.newBaseManager();

    @TempDir Path folder;

    @AfterEach
    void close() {
        manager.close();
    }

    private static ChosenEncoding axis(
            String name, int k, int length, Map<String, String> settings) {
        return new ChosenEncoding(name, new Space(1, k, length, true, 3), settings);
    }

    private static NetworkPlan complex(int depth, ChosenEncoding... axes) {
        return new NetworkPlan(
                List.of(axes), true, depth, 12, new CoordinateActivation.Relu(), 3, false);
    }

    private static Signal leaves(int side) {
        double[] values = DeadLeaves.image(side, 7); // (side, side, 3)
        float[] narrow = new float[values.length];
        for (int i = 0; i < narrow.length; i++) {
            narrow[i] = (float) values[i];
        }
        return new Signal(new int[] {side, side}, 3, narrow);
    }

    private static double psnr(Signal decoded, Signal truth) {
        double sum = 0;
        for (int i = 0; i < truth.values().length; i++) {
            sum += Math.pow(decoded.values()[i] - (double) truth.values()[i], 2);
        }
        return -10 * Math.log10(sum / truth.values().length);
    }

    @Test
    void aClosedFormIsReadBackWithinTheLoss() throws IOException {
        Signal image = leaves(64).part(new int[] {0, 8}, new int[] {64, 50});
        for (String name :
                List.of("gaussian", "triangle", "linear-frequencies", "random-fourier")) {
            NetworkPlan plan =
                    complex(0, axis(name, 32, 64, Map.of()), axis(name, 28, 50, Map.of()));
            FittedSignal fitted = ClosedForm.of(image, plan, Tiles.whole(image.sides()), manager);
            Signal best = fitted.sample(Grid.of(image.sides()), manager);
            Path file = folder.resolve(name + ".posenc");
            SignalFile source = new SignalFile(image, PNG);
            SignalCode.of(fitted, source, 0.1, manager).write(file);
            SignalCode code = SignalCode.read(file);
            FittedSignal again = code.fitted(manager);
            double loss =
                    psnr(best, image) - psnr(again.sample(Grid.of(image.sides()), manager), image);
            assertThat(loss).as(name).isBetween(0.02, 0.1);
            assertThat(code.plan()).isEqualTo(plan);
            assertThat(code.format()).isEqualTo(PNG);
            assertThat(code.sides()).containsExactly(64, 50);
            assertThat(code.bytes()).containsExactly(Files.readAllBytes(file));

            // Between the samples it is no further from the networks than at them.
            Grid fine = Grid.of(4 * 64, 4 * 50);
            Grid coarse = Grid.of(64, 50);
            double between = psnr(again.sample(fine, manager), fitted.sample(fine, manager));
            assertThat(between).isGreaterThan(psnr(again.sample(coarse, manager), best) - 0.5);

            // Without a loss, the parameters are the networks' own.
            SignalCode exact = SignalCode.of(fitted, source, 0, manager);
            Signal own = SignalCode.parse(exact.bytes()).fitted(manager).sample(fine, manager);
            assertThat(psnr(own, fitted.sample(fine, manager))).isGreaterThan(90);
        }
    }

    /** Networks of every kind, with their initial weights in place of trained ones. */
    @Test
    void everyKindOfNetworkIsReadBack() {
        Signal image = leaves(24);
        SignalFile source = new SignalFile(image, PNG);
        Grid grid = Grid.of(24, 24);
        List<CoordinateActivation> activations =
                List.of(
                        new CoordinateActivation.Relu(),
                        new CoordinateActivation.Sine(20, 30),
                        new CoordinateActivation.Gaussian(0.1),
                        new CoordinateActivation.Finer(20, 30, 5));
        Space plane = new Space(2, 32, 24, true, 9);
        for (String name : List.of("gaussian", "random-fourier", "fourier", "basic")) {
            for (int depth = 0; depth < 3; depth++) {
                ChosenEncoding simple = new ChosenEncoding(name, plane, Map.of());
                CoordinateActivation activation =
                        activations.get((depth + name.length()) % activations.size());
                NetworkPlan plan =
                        new NetworkPlan(List.of(simple), false, depth, 20, activation, 3, true);
                assertReadBack(plan, source, grid);
                ChosenEncoding axis =
                        new ChosenEncoding(name, new Space(1, 16, 24, true, 2), Map.of());
                // The initial weights of a complex map are large, and sines of them chaotic.
                activation = activations.get(depth % 2 * 2);
                plan = new NetworkPlan(List.of(axis, axis), true, depth, 20, activation, 3, false);
                assertReadBack(plan, source, grid);
            }
        }
    }

    private void assertReadBack(NetworkPlan plan, SignalFile source, Grid grid) {
        CoordinateMlp network = plan.network(5);
        network.initialize(manager, DataType.FLOAT32, new Shape(1, 2));
        FittedSignal fitted =
                new FittedSignal(
                        plan, Tiles.whole(24, 24), List.of(network), new float[] {0.3f, -0.1f, 2});
        Signal before = fitted.sample(grid, manager);
        // The image is no help for initial weights: what they compute is what is to be kept.
        SignalFile own = new SignalFile(withNoise(before), source.format());
        SignalCode code = SignalCode.parse(SignalCode.of(fitted, own, 0.5, manager).bytes());
        assertThat(code.plan()).isEqualTo(plan);
        Signal after = code.fitted(manager).sample(grid, manager);
        double loss = psnr(before, own.signal()) - psnr(after, own.signal());
        assertThat(loss).as("%s", plan).isBetween(0.0, 0.5);
        SignalCode exact = SignalCode.parse(SignalCode.of(fitted, own, 0, manager).bytes());
        assertThat(psnr(exact.fitted(manager).sample(grid, manager), before)).isGreaterThan(100);
        assertThat(code.bytes().length).as("%s", plan).isLessThan(exact.bytes().length);
    }

    private static Signal withNoise(Signal signal) {
        Random random = new Random(8);
        float[] values = signal.values().clone();
        for (int i = 0; i < values.length; i++) {
            values[i] += (float) (0.01 * random.nextGaussian());
        }
        return new Signal(signal.sides(), signal.channels(), values);
    }

    @Test
    void aTiledSignalIsReadBack() {
        Signal image = leaves(96);
        Tiles tiles = new Tiles(new int[] {96, 96}, new int[] {40, 56}, 12, 2);
        NetworkPlan plan =
                complex(0, axis("gaussian", 20, 40, Map.of()), axis("gaussian", 28, 56, Map.of()));
        FittedSignal fitted = ClosedForm.of(image, plan, tiles, manager);
        Grid grid = Grid.of(96, 96);
        SignalCode code = SignalCode.of(fitted, new SignalFile(image, PNG), 0.1, manager);
        Signal after = SignalCode.parse(code.bytes()).fitted(manager).sample(grid, manager);
        assertThat(psnr(fitted.sample(grid, manager), image) - psnr(after, image))
                .isBetween(0.0, 0.1);
    }

    @Test
    void refusalsAreOneSentence() throws IOException {
        byte[] file = small();
        assertThatThrownBy(() -> SignalCode.read(folder.resolve("none.posenc")))
                .hasMessageContaining("there is no file");
        Path path = folder.resolve("a.posenc");
        Files.write(path, Arrays.copyOf(file, file.length - 1));
        assertThatThrownBy(() -> SignalCode.read(path))
                .hasMessage(
                        path
                                + " is no signal that can be decoded: its checksum is wrong: it is"
                                + " damaged or cut off");
        assertRefused(new byte[0], "does not begin as such a file does");
        assertRefused(
                "\u0089PNG\r\n and more, much more".getBytes(StandardCharsets.ISO_8859_1), "begin");
        byte[] past = file.clone();
        past[11] = 1;
        assertRefused(past, "it is of version 1, this posenc reads version 2");
        assertRefused(withHeader(file, "null"), "its header is empty");
        assertRefused(withHeader(file, "{}"), "its header needs signal, format");
        assertRefused(withHeader(file, "[".repeat(100_000)), "its header is malformed");
        String json = header(file);
        assertRefused(edited(file, "\"depth\":1", "\"depth\":2000000000"), "larger than the");
        assertRefused(edited(file, "\"depth\":1", "\"depth\":0"), "are not those of the network");
        assertRefused(edited(file, "\"width\":12", "\"width\":2000000000"), "larger than the");
        assertRefused(
                edited(file, "\"width\":12", "\"width\":-1"), "a width and outputs of at least 1");
        assertRefused(
                withHeader(
                        file,
                        json.replace("\"featureDimension\":8", "\"featureDimension\":2000000000")),
                "larger than the");
        assertRefused(
                edited(file, "\"shape\":[1,12,8,8]", "\"shape\":[1,12,8,2000000000]"), "cannot be");
        assertRefused(
                edited(file, "\"shape\":[1,12,8,8]", "\"shape\":[1,12,8,80000]"), "cannot be");
        assertRefused(
                edited(file, "\"shape\":[1,12,8,8]", "\"shape\":[1,12,8,9]"),
                "are not those of the network");
        assertRefused(
                edited(file, "\"name\":\"gaussian\"", "\"name\":\"gausian\""), "did you mean");
        assertRefused(
                edited(file, "\"settings\":{}", "\"settings\":{\"sigma\":\"0.3\"}"),
                "was fitted with");
        assertRefused(
                edited(file, "\"offset\":[0.0,0.0,0.0]", "\"offset\":[0.0]"),
                "it has 1 offsets for the 3 channels of its network");
        assertRefused(edited(file, "\"relu\"", "\"rely\""), "there is no activation [rely]");
        assertRefused(edited(file, "\"signal\":[16,16]", "\"signal\":[16,17]"), "tiles");
        assertRefused(
                edited(file, "\"kind\":\"ImageFormat\"", "\"kind\":\"x\""),
                "not a signal's format");
        assertRefused(edited(file, "\"bits\":16", "\"bits\":12"), "8 or 16 bits");
        assertThatThrownBy(() -> SignalCode.of(null, null, 21, manager))
                .hasMessage("the loss must be from 0 to 20.0 decibels, got 21.0");
    }

    private void assertRefused(byte[] file, String why) {
        assertThatThrownBy(() -> SignalCode.parse(file).fitted(manager))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(why);
    }

    private byte[] small() {
        NetworkPlan plan =
                complex(1, axis("gaussian", 8, 16, Map.of()), axis("gaussian", 8, 16, Map.of()));
        CoordinateMlp network = plan.network(5);
        network.initialize(manager, DataType.FLOAT32, new Shape(1, 2));
        FittedSignal fitted =
                new FittedSignal(
                        plan, Tiles.whole(16, 16), List.of(network), new float[plan.outputs()]);
        SignalFile source = new SignalFile(fitted.sample(Grid.of(16, 16), manager), PNG);
        source = new SignalFile(withNoise(source.signal()), PNG);
        return SignalCode.of(fitted, source, 0.5, manager).bytes();
    }

    private static String header(byte[] file) {
        int length = ByteBuffer.wrap(file).getInt(12);
        return new String(file, 16, length, StandardCharsets.UTF_8);
    }

    private static byte[] edited(byte[] file, String from, String to) {
        String header = header(file);
        assertThat(header).contains(from);
        int at = header.indexOf(from);
        return withHeader(
                file, header.substring(0, at) + to + header.substring(at + from.length()));
    }

    private static byte[] withHeader(byte[] file, String header) {
        int data = 16 + ByteBuffer.wrap(file).getInt(12);
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer out = ByteBuffer.allocate(16 + json.length + file.length - data);
        out.put(file, 0, 12).putInt(json.length).put(json).put(file, data, file.length - data);
        return checked(out.array());
    }

    private static byte[] checked(byte[] file) {
        CRC32 crc = new CRC32();
        crc.update(file, 0, file.length - 4);
        ByteBuffer.wrap(file).putInt(file.length - 4, (int) crc.getValue());
        return file;
    }

    /** Files that are wrong somewhere, most of them with a checksum that is right. */
    @Test
    void noDamagedFileDoesMoreThanSayWhy() {
        byte[] file = small();
        Random random = new Random(11);
        int refused = 0;
        for (int trial = 0; trial < 2000; trial++) {
            byte[] damaged = damaged(file, random);
            if (trial % 10 > 0) {
                damaged = damaged.length < 4 ? damaged : checked(damaged);
            }
            try {
                FittedSignal fitted = SignalCode.parse(damaged).fitted(manager);
                assertThat(fitted.tiles().sides()).hasSize(2);
            } catch (IllegalArgumentException e) {
                assertThat(e.getMessage()).isNotBlank().doesNotContain("Exception");
                refused++;
            }
        }
        assertThat(refused).isBetween(1000, 1999); // a changed weight may well be a weight
    }

    private static byte[] damaged(byte[] file, Random random) {
        byte[] damaged = file.clone();
        int header = 16 + ByteBuffer.wrap(file).getInt(12);
        switch (random.nextInt(5)) {
            case 0 -> damaged[random.nextInt(file.length)] ^= (byte) (1 << random.nextInt(8));
            case 1 -> damaged[random.nextInt(header)] = (byte) random.nextInt(256);
            case 2 -> damaged = Arrays.copyOf(file, random.nextInt(file.length));
            case 3 -> { // digits make the sizes that lie
                int at = random.nextInt(header);
                for (int i = at; i < header; i++) {
                    if (Character.isDigit(damaged[i])) {
                        damaged[i] = (byte) ('0' + random.nextInt(10));
                        break;
                    }
                }
            }
            default -> { // a piece is doubled or left out
                int from = random.nextInt(file.length - 8);
                int to = from + 1 + random.nextInt(7);
                boolean twice = random.nextBoolean();
                byte[] tail = Arrays.copyOfRange(file, twice ? from : to, file.length);
                damaged = Arrays.copyOf(file, (twice ? to : from) + tail.length);
                System.arraycopy(tail, 0, damaged, damaged.length - tail.length, tail.length);
            }
        }
        return damaged;
    }
}
