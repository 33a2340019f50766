package org.posenc.encoding.rope;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.stream.IntStream;

/**
 * The float32 power of the C library (glibc since 2.28, from Arm's <a
 * href="https://github.com/ARM-software/optimized-routines">optimized routines</a>), bit for bit as
 * processors with fused multiply-add compute it: in double precision, rounded once at the end, and
 * wrong in the last place for four values in ten thousand.
 *
 * <p>x^y = 2^(y log₂ x). With x = z 2^k, z in [0.7, 1.4), c the point nearest to z of 16 and r =
 * z/c − 1:
 *
 * <pre>
 * log₂ x = k + log₂ c + r p(r)
 * 2^s    = 2^(n/32) (1 + v u(v)),   n = round(32 s), v = s − n/32
 * </pre>
 */
final class ScalarPower {

    /** The bits of a float that is the lower end of the range of z. */
    private static final int LEAST = 0x3f330000;

    private static final int POINTS = 16;

    /** 1/c of each point. */
    private static final double[] INVERSE = {
        0x1.661ec79f8f3bep+0,
        0x1.571ed4aaf883dp+0,
        0x1.49539f0f010bp+0,
        0x1.3c995b0b80385p+0,
        0x1.30d190c8864a5p+0,
        0x1.25e227b0b8eap+0,
        0x1.1bb4a4a1a343fp+0,
        0x1.12358f08ae5bap+0,
        0x1.0953f419900a7p+0,
        0x1p+0,
        0x1.e608cfd9a47acp-1,
        0x1.ca4b31f026aap-1,
        0x1.b2036576afce6p-1,
        0x1.9c2d163a1aa2dp-1,
        0x1.886e6037841edp-1,
        0x1.767dcf5534862p-1
    };

    /** log₂ c of each point. */
    private static final double[] LOGARITHM = {
        -0x1.efec65b963019p-2,
        -0x1.b0b6832d4fca4p-2,
        -0x1.7418b0a1fb77bp-2,
        -0x1.39de91a6dcf7bp-2,
        -0x1.01d9bf3f2b631p-2,
        -0x1.97c1d1b3b7afp-3,
        -0x1.2f9e393af3c9fp-3,
        -0x1.960cbbf788d5cp-4,
        -0x1.a6f9db6475fcep-5,
        0,
        0x1.338ca9f24f53dp-4,
        0x1.476a9543891bap-3,
        0x1.e840b4ac4e4d2p-3,
        0x1.40645f0c6651cp-2,
        0x1.88e9c2c1b9ff8p-2,
        0x1.ce0a44eb17bccp-2
    };

    /** The coefficients of r, r², … in log₂(1 + r). */
    private static final double[] P = {
        0x1.71547652ab82bp0,
        -0x1.7154748bef6c8p-1,
        0x1.ec70a6ca7baddp-2,
        -0x1.71969a075c67ap-2,
        0x1.27616c9496e0bp-2
    };

    /** The coefficients of v, v² and v³ in 2^v. */
    private static final double[] U = {
        0x1.62e42ff0c52d6p-1, 0x1.ebfce50fac4f3p-3, 0x1.c6af84b912394p-5
    };

    private static final int ROOTS = 32;

    /** 2^(i/32), correctly rounded. */
    private static final double[] ROOT =
            IntStream.range(0, ROOTS).mapToDouble(ScalarPower::root).toArray();

    private ScalarPower() {}

    private static double root(int i) {
        BigDecimal power = BigDecimal.valueOf(1L << i);
        for (int n = 1; n < ROOTS; n *= 2) {
            power = power.sqrt(MathContext.DECIMAL128);
        }
        return power.doubleValue();
    }

    /** Returns x^y, for a positive normal x and a normal result. */
    static float of(float x, float y) {
        return exponential(logarithm(x) * y);
    }

    private static double logarithm(float x) {
        int bits = Float.floatToRawIntBits(x) - LEAST;
        int point = bits >> 19 & POINTS - 1; // by the first bits of z
        int k = bits >> 23;
        double z = Math.scalb(x, -k);
        double r = Math.fma(z, INVERSE[point], -1);
        double square = r * r;
        double low = Math.fma(P[2], r, P[1]);
        double high = Math.fma(P[4], r, P[3]);
        double value = Math.fma(low, square, Math.fma(P[0], r, LOGARITHM[point] + k));
        return Math.fma(high, square * square, value);
    }

    private static float exponential(double s) {
        double n = Math.rint(ROOTS * s);
        double v = s - n / ROOTS;
        double scale = Math.scalb(ROOT[(int) n & ROOTS - 1], (int) n >> 5);
        double value = Math.fma(Math.fma(U[2], v, U[1]), v * v, Math.fma(U[0], v, 1));
        return (float) (value * scale);
    }
}
