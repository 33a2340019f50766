package org.posenc.signal;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A sound as its WAV file held it (<a
 * href="https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html">format</a>): pulse
 * codes of 8, 16, 24 or 32 bits, or floating point of 32 or 64. A signal of (samples, C).
 *
 * <p>The lowest code is the value 0, the highest 1, and silence lies between; floating point is
 * taken from [−1, 1].
 *
 * @param sampleRate samples a second
 * @param channels C
 * @param floating whether values are floating point
 * @param bits of a value
 * @param speakers which loudspeaker each channel is meant for, as a bit mask; −1 where the file
 *     does not say
 */
public record WaveFormat(int sampleRate, int channels, boolean floating, int bits, int speakers)
        implements SignalFormat {

    private static final int PCM = 1;
    private static final int FLOAT = 3;
    private static final int EXTENSIBLE = 0xfffe;
    // What follows the two bytes of the format's number in its 16 bytes of identity.
    private static final byte[] IDENTITY = {
        0, 0, 0, 0, 0x10, 0, (byte) 0x80, 0, 0, (byte) 0xaa, 0, 0x38, (byte) 0x9b, 0x71
    };

    /** Checks the values. */
    public WaveFormat {
        boolean known =
                floating
                        ? bits == 32 || bits == 64
                        : bits == 8 || bits == 16 || bits == 24 || bits == 32;
        if (sampleRate < 1 || channels < 1 || channels > 0xffff || !known) {
            throw new IllegalArgumentException(
                    "a sound must have PCM of 8, 16, 24 or 32 bits or floating point of 32 or 64,"
                            + " at least one channel and a sample rate of at least 1, got "
                            + (floating ? "floating point of " : "PCM of ")
                            + bits
                            + " bits, "
                            + channels
                            + " channels, "
                            + sampleRate
                            + " samples a second");
        }
    }

    @Override
    public String extension() {
        return "wav";
    }

    @Override
    public String description() {
        return bits
                + "-bit "
                + (floating ? "floating-point" : "PCM")
                + " WAV, "
                + sampleRate
                + " Hz"
                + (channels == 1 ? "" : ", " + channels + " channels");
    }

    @Override
    public SignalFormat resampled(double factor) {
        int rate = (int) Math.max(1, Math.round(sampleRate * factor));
        return new WaveFormat(rate, channels, floating, bits, speakers);
    }

    static SignalFile read(Path file) throws IOException {
        if (Files.size(file) > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(
                    file + " is larger than 2 GiB, which a sound must not be here");
        }
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        try {
            return decode(file, bytes);
        } catch (BufferUnderflowException e) {
            throw new IllegalArgumentException(file + " ends before its sound does", e);
        }
    }

    private static SignalFile decode(Path file, ByteBuffer bytes) {
        bytes.position(12); // RIFF, its size, WAVE
        WaveFormat format = null;
        while (true) {
            String name = name(bytes);
            long size = bytes.getInt() & 0xffffffffL;
            if (name.equals("data")) {
                if (format == null) {
                    throw new IllegalArgumentException(file + " does not say what its sound is");
                }
                return new SignalFile(format.samples(file, bytes, size), format);
            }
            if (size > bytes.remaining()) {
                throw new BufferUnderflowException();
            }
            int next = (int) Math.min(bytes.limit(), bytes.position() + size + (size & 1));
            if (name.equals("fmt ")) {
                format = format(file, bytes);
            }
            bytes.position(next);
        }
    }

    private static String name(ByteBuffer bytes) {
        byte[] name = new byte[4];
        bytes.get(name);
        return new String(name, StandardCharsets.ISO_8859_1);
    }

    private static WaveFormat format(Path file, ByteBuffer bytes) {
        int tag = bytes.getShort() & 0xffff;
        int channels = bytes.getShort() & 0xffff;
        int sampleRate = bytes.getInt();
        bytes.getInt(); // bytes a second
        bytes.getShort(); // bytes a sample of all channels
        int bits = bytes.getShort();
        int speakers = -1;
        if (tag == EXTENSIBLE) {
            bytes.getInt(); // size of the rest, and how many of the bits are used
            speakers = bytes.getInt();
            tag = bytes.getShort() & 0xffff;
        }
        if (tag != PCM && tag != FLOAT) {
            throw new IllegalArgumentException(
                    file
                            + " is compressed (WAV format "
                            + tag
                            + "): PCM and floating point are read");
        }
        try {
            return new WaveFormat(sampleRate, channels, tag == FLOAT, bits, speakers);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
        }
    }

    private Signal samples(Path file, ByteBuffer bytes, long declared) {
        // A program that wrote to a pipe could not know the size and gave the greatest.
        long size = declared == 0xffffffffL ? bytes.remaining() : declared;
        if (size > bytes.remaining()) {
            throw new BufferUnderflowException();
        }
        int frame = bits / 8 * channels;
        int samples = (int) (size / frame);
        if (samples == 0) {
            throw new IllegalArgumentException(file + " holds no sound");
        }
        SignalFile.requireRoom(file, new int[] {samples}, channels);
        float[] values = new float[samples * channels];
        for (int i = 0; i < values.length; i++) {
            values[i] =
                    (float) (floating ? (next(bytes) + 1) / 2 : (next(bytes) - least()) / span());
        }
        try {
            return new Signal(new int[] {samples}, channels, values);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
        }
    }

    /** The lowest code; 8-bit codes have no sign. */
    private double least() {
        return bits == 8 ? 0 : -Math.scalb(1.0, bits - 1);
    }

    private double span() {
        return Math.scalb(1.0, bits) - 1;
    }

    private double next(ByteBuffer bytes) {
        return switch (bits) {
            case 8 -> bytes.get() & 0xff;
            case 16 -> bytes.getShort();
            case 24 -> (bytes.getShort() & 0xffff) | bytes.get() << 16;
            case 32 -> floating ? bytes.getFloat() : bytes.getInt();
            default -> bytes.getDouble();
        };
    }

    @Override
    public void encode(Signal signal, OutputStream out) throws IOException {
        SignalFormat.require(
                signal.axes() == 1 && signal.channels() == channels, signal, "a " + description());
        int frame = bits / 8 * channels;
        long data = (long) frame * signal.samples();
        int header = speakers < 0 ? 16 : 40;
        long file = 4 + 8 + header + 8 + data + (data & 1);
        if (file + 8 > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "a WAV file holds at most 2 GiB here, got " + data + " bytes of sound");
        }
        ByteBuffer bytes = ByteBuffer.allocate((int) file + 8).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put("RIFF".getBytes(StandardCharsets.US_ASCII)).putInt((int) file);
        bytes.put("WAVEfmt ".getBytes(StandardCharsets.US_ASCII)).putInt(header);
        int tag = floating ? FLOAT : PCM;
        bytes.putShort((short) (speakers < 0 ? tag : EXTENSIBLE)).putShort((short) channels);
        bytes.putInt(sampleRate).putInt(sampleRate * frame);
        bytes.putShort((short) frame).putShort((short) bits);
        if (speakers >= 0) {
            bytes.putShort((short) 22).putShort((short) bits).putInt(speakers);
            bytes.putShort((short) tag).put(IDENTITY);
        }
        bytes.put("data".getBytes(StandardCharsets.US_ASCII)).putInt((int) data);
        for (float value : signal.values()) {
            put(bytes, value);
        }
        out.write(bytes.array());
    }

    private void put(ByteBuffer bytes, float value) {
        if (floating) {
            double sample = 2.0 * value - 1;
            if (bits == 32) {
                bytes.putFloat((float) sample);
            } else {
                bytes.putDouble(sample);
            }
            return;
        }
        long code = Math.round(least() + span() * Math.min(1, Math.max(0, value)));
        switch (bits) {
            case 8 -> bytes.put((byte) code);
            case 16 -> bytes.putShort((short) code);
            case 24 -> bytes.putShort((short) code).put((byte) (code >> 16));
            default -> bytes.putInt((int) code);
        }
    }
}
