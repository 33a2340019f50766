package org.posenc.encoding.rope;

/**
 * The float32 power of the vector library SLEEF (<a href="https://arxiv.org/abs/2001.09258">Shibata
 * and Petrogalli 2020</a>), {@code powf} with an error of at most one unit of the last place, bit
 * for bit as processors with fused multiply-add compute it.
 *
 * <p>x^y = e^(y ln x), where ln x and its product with y are sums of two floats. With x = m 2^e, m
 * in [¾, 1½), and t = (m − 1)/(m + 1):
 *
 * <pre>
 * ln x = e ln 2 + 2t + t³ (c + t² p(t²)),   c ≈ 2/3
 * e^s  = 2^q (1 + r + r² u(r)),             q = round(s / ln 2), r = s − q ln 2
 * </pre>
 *
 * <p>The polynomials p and u and the order of all operations are SLEEF's: they decide the last bit.
 */
final class VectorPower {

    private static final Sum LN_2 = new Sum(0.693147182f, -1.90465432e-9f);

    /** ln 2 in two parts, of which the first has so few bits that its multiples are exact. */
    private static final float LN_2_SHORT = 0.693145752f;

    private static final float LN_2_REST = 1.42860677e-6f;
    private static final Sum TWO_THIRDS = new Sum(0.666666627f, 3.69183861e-9f); // c
    private static final float[] LOGARITHM = {0.240320355f, 0.285112679f, 0.400007993f}; // p
    private static final float[] EXPONENTIAL = { // u
        0.00136324647f, 0.00836596917f, 0.0416710824f, 0.166665524f, 0.499999851f
    };

    private VectorPower() {}

    /** Returns x^y, for a positive normal x and a normal result. */
    static float of(float x, float y) {
        return exponential(logarithm(x).times(y));
    }

    private static Sum logarithm(float x) {
        int e = Math.getExponent(x * (1 / 0.75f));
        float m = Math.scalb(x, -e);
        Sum t = Sum.of(-1, m).over(Sum.of(1, m));
        Sum square = t.squared();
        Sum series = square.times(polynomial(LOGARITHM, square.high)).plus(TWO_THIRDS);
        return LN_2.times(e)
                .plusSmaller(new Sum(2 * t.high, 2 * t.low))
                .plusSmaller(square.times(t).times(series));
    }

    private static float exponential(Sum s) {
        int q = (int) Math.rint((s.high + s.low) * (float) (1 / Math.log(2)));
        Sum r = s.plus(q * -LN_2_SHORT).plus(q * -LN_2_REST).normalised();
        Sum rest = r.plusSmaller(r.squared().times(polynomial(EXPONENTIAL, r.high)));
        Sum power = new Sum(1, 0).plusSmaller(rest);
        return Math.scalb(power.high + power.low, q);
    }

    /** Horner's scheme, the coefficient of the highest power first. */
    private static float polynomial(float[] coefficients, float x) {
        float value = coefficients[0];
        for (int i = 1; i < coefficients.length; i++) {
            value = Math.fma(value, x, coefficients[i]);
        }
        return value;
    }

    /** The number high + low, low being what rounding took from high. */
    private record Sum(float high, float low) {

        /** a + b, exactly. */
        static Sum of(float a, float b) {
            float sum = a + b;
            float added = sum - a;
            return new Sum(sum, a - (sum - added) + (b - added));
        }

        Sum plus(float x) {
            Sum sum = of(high, x);
            return new Sum(sum.high, sum.low + low);
        }

        Sum plus(Sum x) {
            Sum sum = of(high, x.high);
            return new Sum(sum.high, sum.low + (low + x.low));
        }

        /** As {@link #plus}, for an x that is no greater than this. */
        Sum plusSmaller(Sum x) {
            float sum = high + x.high;
            return new Sum(sum, high - sum + x.high + low + x.low);
        }

        Sum times(float x) {
            float product = high * x;
            return new Sum(product, Math.fma(low, x, Math.fma(high, x, -product)));
        }

        Sum times(Sum x) {
            float product = high * x.high;
            float lost = Math.fma(high, x.high, -product);
            return new Sum(product, Math.fma(high, x.low, Math.fma(low, x.high, lost)));
        }

        Sum squared() {
            float square = high * high;
            return new Sum(square, Math.fma(high + high, low, Math.fma(high, high, -square)));
        }

        Sum over(Sum x) {
            float inverse = 1 / x.high;
            float quotient = high * inverse;
            float lost = Math.fma(inverse, high, -quotient);
            float error = Math.fma(-x.low, inverse, Math.fma(-x.high, inverse, 1));
            return new Sum(quotient, Math.fma(quotient, error, Math.fma(low, inverse, lost)));
        }

        Sum normalised() {
            float sum = high + low;
            return new Sum(sum, high - sum + low);
        }
    }
}
