package org.posenc.signal;

import ai.djl.ndarray.NDManager;
import com.google.gson.JsonParser;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import org.posenc.model.CoordinateMlp;
import org.posenc.report.AtomicFile;

/**
 * A fitted signal in a small file, from which it is computed again at any resolution.
 *
 * <p>Parameters are rounded to multiples of a step and coded arithmetically; the weights of a
 * complex encoding are rounded in the basis in which a rounding error is an error of the signal.
 * The steps are the coarsest that lose no more than is allowed, found by decoding.
 *
 * <p>The file, with numbers big-endian: 8 bytes of magic, the version in 4 bytes, the length of the
 * header in 4 bytes and the header in JSON, the tensors one after the other, and the CRC-32 of all
 * before it.
 */
public final class SignalCode {

    /** What the names of such files end in. */
    public static final String EXTENSION = "posenc";

    /** A loss that hardly shows, in decibels. */
    public static final double STANDARD_LOSS = 0.1;

    private static final byte[] MAGIC = {(byte) 0x89, 'P', 'O', 'S', 'E', 'N', 'C', '\n'};
    private static final int VERSION = 2;
    private static final int FRAME = MAGIC.length + 4 + 4 + 4;
    private static final double GREATEST_LOSS = 20;

    private static final Pattern DECIMAL = Pattern.compile("-?\\d+\\.\\d+(E-?\\d+)?");

    private final Tiles tiles;
    private final NetworkPlan plan;
    private final float[] offset;
    private final SignalFormat format;
    private final String features;
    private final List<CodedTensor> tensors; // each of all tiles' networks

    private SignalCode(
            Tiles tiles,
            NetworkPlan plan,
            float[] offset,
            SignalFormat format,
            String features,
            List<CodedTensor> tensors) {
        this.tiles = tiles;
        this.plan = plan;
        this.offset = offset;
        this.format = format;
        this.features = features;
        this.tensors = tensors;
    }

    /**
     * Codes a fitted signal.
     *
     * @param fitted the networks
     * @param file the signal that they were fitted to, and what its file was
     * @param loss how many decibels of its peak signal-to-noise ratio over all samples the decoded
     *     signal may lose against the networks, above 0 and at most 20; or 0, to keep all
     *     parameters as float32
     * @param manager on the device of the networks
     * @return the code
     * @throws IllegalArgumentException if the signal is another, or the loss is out of range
     */
    public static SignalCode of(
            FittedSignal fitted, SignalFile file, double loss, NDManager manager) {
        if (!(loss >= 0 && loss <= GREATEST_LOSS)) {
            throw new IllegalArgumentException(
                    "the loss must be from 0 to " + GREATEST_LOSS + " decibels, got " + loss);
        }
        fitted.tiles().requireOf(file.signal());
        List<CodedTensor> tensors =
                loss == 0
                        ? NetworkCode.exact(fitted.networks())
                        : new CoarsestRounding(fitted, file.signal(), loss, manager).tensors();
        String features = inWords(fitted.networks().get(0));
        return new SignalCode(
                fitted.tiles(), fitted.plan(), fitted.offset(), file.format(), features, tensors);
    }

    /** What the features are, with decimals rounded that another machine computes otherwise. */
    private static String inWords(CoordinateMlp network) {
        return DECIMAL.matcher(network.features().toString())
                .replaceAll((MatchResult number) -> nineDigits(number.group()));
    }

    private static String nineDigits(String number) {
        return String.format(Locale.ROOT, "%.9g", Double.parseDouble(number));
    }

    /**
     * Returns the sides of the signal that was fitted.
     *
     * @return (N_0, …, N_{M−1})
     */
    public int[] sides() {
        return tiles.sides();
    }

    /**
     * Returns what the file of the signal was, so that a decoded one is written alike.
     *
     * @return the format
     */
    public SignalFormat format() {
        return format;
    }

    /**
     * Returns what the networks are.
     *
     * @return the plan
     */
    public NetworkPlan plan() {
        return plan;
    }

    /**
     * Returns the bits that a number takes on average, without the header.
     *
     * @return such as 4.5
     */
    public double bitsPerNumber() {
        double bits = 0;
        double numbers = 0;
        for (CodedTensor tensor : tensors) {
            bits += 8.0 * tensor.code().length;
            numbers += CodedTensor.count(tensor.shape());
        }
        return bits / numbers;
    }

    /**
     * Makes the networks.
     *
     * @param manager owns their parameters and decides the device
     * @return the decoded signal, to be sampled
     * @throws IllegalArgumentException if the code is not of these networks, or this version of
     *     posenc makes other features of these settings
     */
    public FittedSignal fitted(NDManager manager) {
        NetworkCode.check(plan, tensors, tiles.count());
        List<CoordinateMlp> networks;
        try (NetworkCode code = new NetworkCode(plan, manager)) {
            networks = code.networks(tensors, tiles.count());
        }
        String made = inWords(networks.get(0));
        if (!made.equals(features)) {
            throw new IllegalArgumentException(
                    "the signal was fitted with the features "
                            + features
                            + "; this version of posenc makes "
                            + made);
        }
        return new FittedSignal(plan, tiles, networks, offset);
    }

    /**
     * Returns the bytes of the file.
     *
     * @return the file's content
     */
    public byte[] bytes() {
        CodeHeader header =
                new CodeHeader(
                        tiles.sides(),
                        JsonParser.parseString(format.toJson()),
                        plan,
                        offset,
                        features,
                        tiles.tile(),
                        tiles.overlap(),
                        tiles.step(),
                        tensors.stream().map(SignalCode::entry).toList());
        byte[] json = header.toJson().getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(MAGIC);
        out.writeBytes(ByteBuffer.allocate(8).putInt(VERSION).putInt(json.length).array());
        out.writeBytes(json);
        tensors.forEach(tensor -> out.writeBytes(tensor.code()));
        int sum = checksum(out.toByteArray(), out.size());
        out.writeBytes(ByteBuffer.allocate(4).putInt(sum).array());
        return out.toByteArray();
    }

    private static CodeHeader.Entry entry(CodedTensor tensor) {
        return new CodeHeader.Entry(
                tensor.name(), tensor.shape(), tensor.step(), tensor.code().length);
    }

    private static int checksum(byte[] bytes, int length) {
        CRC32 crc = new CRC32();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }

    /**
     * Writes the file, whole or not at all.
     *
     * @param path its name, which ends in .posenc
     * @throws IllegalArgumentException if the place cannot be written to
     */
    public void write(Path path) {
        byte[] bytes = bytes();
        AtomicFile.write(path, out -> out.write(bytes));
    }

    /**
     * Reads a file.
     *
     * @param path its name
     * @return the code; what its tensors hold is checked when they are decoded
     * @throws IllegalArgumentException if it cannot be read, or is no whole file of a version that
     *     is known
     */
    public static SignalCode read(Path path) {
        try {
            return parse(Files.readAllBytes(path));
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException("there is no file " + path, e);
        } catch (IOException | OutOfMemoryError e) {
            throw new IllegalArgumentException("cannot read " + path, e);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    path + " is no signal that can be decoded: " + e.getMessage(), e);
        }
    }

    /** Reads the bytes of a file. */
    static SignalCode parse(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (bytes.length < FRAME || Arrays.mismatch(bytes, MAGIC) < MAGIC.length) {
            throw new IllegalArgumentException("it does not begin as such a file does");
        }
        int version = in.position(MAGIC.length).getInt();
        if (version != VERSION) {
            throw new IllegalArgumentException(
                    "it is of version "
                            + Integer.toUnsignedString(version)
                            + ", this posenc reads version "
                            + VERSION);
        }
        int end = bytes.length - 4;
        if (checksum(bytes, end) != in.getInt(end)) {
            throw new IllegalArgumentException("its checksum is wrong: it is damaged or cut off");
        }
        in.limit(end);
        try {
            byte[] json = next(in, in.getInt(), "header");
            String text =
                    StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(json)).toString();
            return of(CodeHeader.parse(text), in);
        } catch (CharacterCodingException | BufferUnderflowException e) {
            throw new IllegalArgumentException("its header is not UTF-8", e);
        }
    }

    private static SignalCode of(CodeHeader header, ByteBuffer in) {
        Tiles tiles = new Tiles(header.signal(), header.tile(), header.overlap(), header.step());
        List<CodedTensor> tensors = new ArrayList<>();
        for (CodeHeader.Entry entry : header.tensors()) {
            byte[] code = next(in, entry.bytes(), "tensor " + entry.name());
            tensors.add(new CodedTensor(entry.name(), entry.shape(), entry.step(), code));
        }
        if (in.hasRemaining()) {
            throw new IllegalArgumentException(
                    "its tensors leave " + in.remaining() + " bytes over");
        }
        SignalFormat format = header.fileFormat();
        return new SignalCode(
                tiles, header.network(), header.offset(), format, header.features(), tensors);
    }

    private static byte[] next(ByteBuffer in, int length, String what) {
        if (length < 0 || length > in.remaining()) {
            throw new IllegalArgumentException(
                    "its "
                            + what
                            + " is to have "
                            + length
                            + " bytes where "
                            + in.remaining()
                            + " are left");
        }
        byte[] bytes = new byte[length];
        in.get(bytes);
        return bytes;
    }
}
