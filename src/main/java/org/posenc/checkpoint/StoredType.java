package org.posenc.checkpoint;

import ai.djl.ndarray.types.DataType;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.nio.ShortBuffer;

/**
 * The types that numbers have in a safetensors file, and what they become in memory.
 *
 * <p>bfloat16 becomes float32 and the integers that DJL cannot hand to PyTorch the next wider ones,
 * none of which changes a value.
 */
public enum StoredType {
    /** Truth values, a byte each. */
    BOOL(1, DataType.BOOLEAN),
    /** 8 bits, unsigned. */
    U8(1, DataType.UINT8),
    /** 8 bits, signed. */
    I8(1, DataType.INT8),
    /** 16 bits, unsigned; int32 in memory. */
    U16(2, DataType.INT32),
    /** 16 bits, signed; int32 in memory. */
    I16(2, DataType.INT32),
    /** 32 bits, unsigned; int64 in memory. */
    U32(4, DataType.INT64),
    /** 32 bits, signed. */
    I32(4, DataType.INT32),
    /** 64 bits, unsigned; int64 in memory, so below 2⁶³. */
    U64(8, DataType.INT64),
    /** 64 bits, signed. */
    I64(8, DataType.INT64),
    /** IEEE half precision. */
    F16(2, DataType.FLOAT16),
    /** The upper half of a float32; float32 in memory. */
    BF16(2, DataType.FLOAT32),
    /** IEEE single precision. */
    F32(4, DataType.FLOAT32),
    /** IEEE double precision. */
    F64(8, DataType.FLOAT64);

    private static final int PIECE = 1 << 13;

    private final int bytes;
    private final DataType inMemory;

    StoredType(int bytes, DataType inMemory) {
        this.bytes = bytes;
        this.inMemory = inMemory;
    }

    /**
     * Returns the size of a number in a file.
     *
     * @return 1, 2, 4 or 8
     */
    public int bytes() {
        return bytes;
    }

    /**
     * Returns the type that a number is read into.
     *
     * @return a type that can pass from DJL to PyTorch
     */
    public DataType inMemory() {
        return inMemory;
    }

    /** Returns how an array of this type is stored where nothing else is asked for. */
    static StoredType of(DataType type) {
        return switch (type) {
            case BOOLEAN -> BOOL;
            case UINT8 -> U8;
            case INT8 -> I8;
            case INT32 -> I32;
            case INT64 -> I64;
            case FLOAT16 -> F16;
            case FLOAT32 -> F32;
            case FLOAT64 -> F64;
            default ->
                    throw new IllegalArgumentException(
                            "arrays of type " + type + " cannot be stored");
        };
    }

    /** Returns PyTorch's name of a floating type. */
    String inPyTorch() {
        return switch (this) {
            case F16 -> "float16";
            case BF16 -> "bfloat16";
            case F32 -> "float32";
            case F64 -> "float64";
            default -> throw new IllegalArgumentException("weights are floats, got " + this);
        };
    }

    boolean floating() {
        return inMemory.isFloating();
    }

    /** Whether numbers in memory are the bytes of the file. */
    boolean sameInMemory() {
        return bytes == inMemory.getNumOfBytes() && this != U64 && this != BOOL;
    }

    /** Reads the next number of a floating type. */
    double number(ByteBuffer stored) {
        return switch (this) {
            case F64 -> stored.getDouble();
            case F32 -> stored.getFloat();
            case BF16 -> Float.intBitsToFloat(stored.getShort() << 16);
            case F16 -> half(stored.getShort());
            default -> throw new IllegalStateException(this + " is no floating type");
        };
    }

    /** The number of 5 bits of exponent and 10 of fraction. */
    private static double half(short bits) {
        int exponent = bits >> 10 & 0x1f;
        int fraction = bits & 0x3ff;
        double size =
                switch (exponent) {
                    case 0 -> fraction * 0x1p-24;
                    case 0x1f -> fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
                    default -> Math.scalb(1 + fraction * 0x1p-10, exponent - 15);
                };
        return bits < 0 ? -size : size;
    }

    /** Turns all numbers that remain in {@code stored} into those of memory. */
    void widen(ByteBuffer stored, ByteBuffer memory) {
        if (this == BF16) {
            widen(stored.asShortBuffer(), memory.asIntBuffer());
            return;
        }
        while (stored.hasRemaining()) {
            switch (this) {
                case BOOL -> memory.put((byte) (stored.get() == 0 ? 0 : 1));
                case U16 -> memory.putInt(Short.toUnsignedInt(stored.getShort()));
                case I16 -> memory.putInt(stored.getShort());
                case U32 -> memory.putLong(Integer.toUnsignedLong(stored.getInt()));
                case U64 -> memory.putLong(signed(stored.getLong()));
                default -> throw new IllegalStateException(this + " is the same in memory");
            }
        }
    }

    /** Widens bfloat16, in pieces that stay in the cache: weights have billions of them. */
    private static void widen(ShortBuffer bfloat16, IntBuffer float32) {
        short[] halves = new short[Math.min(PIECE, bfloat16.remaining())];
        int[] wholes = new int[halves.length];
        while (bfloat16.hasRemaining()) {
            int count = Math.min(halves.length, bfloat16.remaining());
            bfloat16.get(halves, 0, count);
            for (int i = 0; i < count; i++) {
                wholes[i] = halves[i] << 16;
            }
            float32.put(wholes, 0, count);
        }
    }

    private static long signed(long bits) {
        if (bits < 0) {
            throw new IllegalArgumentException(
                    "unsigned numbers of 64 bits must be below 2^63, got "
                            + Long.toUnsignedString(bits));
        }
        return bits;
    }

    /** Turns float32 numbers into bfloat16, to the nearest, halves to even, as PyTorch does. */
    static void narrow(ByteBuffer float32, ByteBuffer bfloat16) {
        while (float32.hasRemaining()) {
            int bits = float32.getInt();
            boolean nan = (bits & 0x7fff_ffff) > 0x7f80_0000;
            int rounded = bits + 0x7fff + (bits >>> 16 & 1);
            bfloat16.putShort((short) (nan ? 0x7fc0 : rounded >>> 16));
        }
    }
}
