package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import java.util.Arrays;
import org.posenc.kernel.Scalars;

/**
 * A basis function that is known by samples of one period, looked up by truncation: the prototype
 * of a shift embedder (<a href="https://arxiv.org/abs/2107.02561">Zheng et al. 2021</a>), such as
 * random noise.
 *
 * <p>ψ(u) = c_i, i = ⌊n u / L⌋ mod n, for n samples c of a period L. Shifted to n centres over a
 * range of that length it makes the rows of a circulant: the features of x are row ⌊n x / L⌋ of
 * C_ij = c_{(i − j) mod n}. Its stable rank, of as many centres as samples, is n ‖c‖² / max_k
 * |ĉ_k|² with the discrete Fourier transform ĉ, its similarity the cyclic autocorrelation, straight
 * between whole samples.
 */
public final class SampledBasis implements BasisFunction {

    /** What rounding may take from a position, in samples: single precision, of 10,000 samples. */
    private static final double ROUNDING = 1e-3;

    private final double period;
    private final double[] samples;
    private final boolean drawn;
    private final DeviceConstant table; // (n + 1), the first sample again at the end

    private SampledBasis(double period, double[] samples, boolean drawn) {
        this.period = Checks.positive(period, "period");
        this.samples = samples;
        this.drawn = drawn;
        double energy = energy();
        if (!(energy > 0) || Double.isInfinite(energy)) {
            throw new IllegalArgumentException(
                    "a prototype must be finite and not all zero, its squares sum to " + energy);
        }
        double[] closed = Arrays.copyOf(samples, samples.length + 1);
        closed[samples.length] = samples[0];
        table = new DeviceConstant(closed);
    }

    /**
     * A prototype that is given.
     *
     * @param period L, in the units of the positions
     * @param samples c, at i L/n
     * @return the basis
     * @throws IllegalArgumentException if the samples are all zero, or not finite
     */
    public static SampledBasis of(double period, double... samples) {
        return new SampledBasis(period, samples.clone(), false);
    }

    /**
     * Random noise, c_i ~ N(0, 1). It is saved with a model and restored when the model is loaded,
     * whatever the seed of the block that loads it.
     *
     * @param period L, in the units of the positions
     * @param samples n, at least 1
     * @param seed draws c
     * @return the basis
     */
    public static SampledBasis noise(double period, int samples, long seed) {
        int count = Checks.atLeast(1, samples, "the number of samples");
        return new SampledBasis(
                period, SeededInitializer.normal(1, seed, "prototype").draw(count), true);
    }

    /**
     * Returns the prototype.
     *
     * @return a copy of c
     */
    public double[] samples() {
        return samples.clone();
    }

    /** Whether the samples were drawn at random. */
    boolean drawn() {
        return drawn;
    }

    /** This basis with other samples, as many. */
    SampledBasis with(double[] others) {
        return new SampledBasis(period, others, drawn);
    }

    /** {@inheritDoc} */
    @Override
    public double value(double u) {
        double turns = u / period;
        double part = turns - Math.floor(turns);
        return samples[(int) (part * samples.length + ROUNDING) % samples.length];
    }

    /** {@inheritDoc} */
    @Override
    public NDArray values(NDArray u) {
        NDArray turns = Scalars.div(u, period);
        NDArray part = turns.sub(turns.floor());
        NDArray index = Scalars.mul(part, samples.length).add(ROUNDING).floor();
        return table.beside(u, DataType.FLOAT64)
                .take(u.getManager(), index.toType(DataType.INT64, false));
    }

    /** {@inheritDoc} */
    @Override
    public double stableRankLimit(double range) {
        int n = samples.length;
        double[] cosines = new double[n];
        double[] sines = new double[n];
        for (int i = 0; i < n; i++) {
            cosines[i] = Math.cos(2 * Math.PI * i / n);
            sines[i] = Math.sin(2 * Math.PI * i / n);
        }
        double greatest = 0;
        for (int k = 0; k <= n / 2; k++) {
            double re = 0;
            double im = 0;
            int turn = 0; // i k mod n
            for (double c : samples) {
                re += c * cosines[turn];
                im += c * sines[turn];
                turn += k;
                turn -= turn >= n ? n : 0;
            }
            greatest = Math.max(greatest, re * re + im * im);
        }
        return n * energy() / greatest;
    }

    /** {@inheritDoc} */
    @Override
    public double similarity(double u) {
        double lag = Math.abs(u) / period * samples.length;
        long whole = (long) lag;
        double part = lag - whole;
        return ((1 - part) * product(whole) + part * product(whole + 1)) / energy();
    }

    private double product(long lag) {
        int n = samples.length;
        double sum = 0;
        int shifted = (int) (lag % n);
        for (double c : samples) {
            sum += c * samples[shifted];
            shifted = shifted + 1 == n ? 0 : shifted + 1;
        }
        return sum;
    }

    private double energy() {
        return Arrays.stream(samples).map(c -> c * c).sum();
    }

    /**
     * Returns what the basis is; of given samples with a hash of them.
     *
     * @return such as "Sampled[period=1.0, samples=64, drawn]"
     */
    @Override
    public String toString() {
        return "Sampled[period="
                + period
                + ", samples="
                + samples.length
                + (drawn ? ", drawn" : ", hash " + Arrays.hashCode(samples))
                + "]";
    }
}
