package org.posenc.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Activation;
import org.posenc.kernel.Scalars;

/**
 * What stands between the linear maps of a {@link CoordinateMlp}, with the initial weights that it
 * needs. In the formulas u = W h + b is what a map gives and n its fan-in; U(±a) are uniform
 * numbers in (−a, a). Unless it is said otherwise all weights and biases start as U(±1/√n),
 * PyTorch's standard for linear layers.
 */
public sealed interface CoordinateActivation {

    /**
     * Applies the activation.
     *
     * @param u (…, width); beyond the first layer (…, {@link #parts} · width)
     * @param layer the number of the layer, from 0, whose coordinates may have another scale
     * @return (…, {@link #parts} · width), in u's type and manager
     */
    NDArray apply(NDArray u, int layer);

    /**
     * Returns how many real numbers a unit of a hidden layer is.
     *
     * @return 2 where units are complex numbers, whose real parts stand first, else 1
     */
    default int parts() {
        return 1;
    }

    /**
     * Returns what the initial values of a map are drawn from. The map to the outputs, which has no
     * activation, starts as if it had one.
     *
     * @param layer the number of the map, from 0
     * @param fanIn n, at least 1
     * @return the bounds of its uniform numbers
     */
    default Bounds initial(int layer, int fanIn) {
        return Bounds.standard(fanIn);
    }

    /**
     * The bounds of the uniform numbers that a map starts with.
     *
     * @param weight the weights are U(±weight), positive
     * @param bias the biases are U(±bias), positive
     */
    record Bounds(double weight, double bias) {

        /** Checks both. */
        public Bounds {
            positive(weight, "the bound of the weights");
            positive(bias, "the bound of the biases");
        }

        static Bounds standard(int fanIn) {
            return new Bounds(1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn));
        }

        /** Those of sines: U(±1/n) for the first layer, U(±√(6/n)/ω) for others. */
        private static Bounds ofSines(int layer, int fanIn, double omega) {
            double weight = layer == 0 ? 1.0 / fanIn : Math.sqrt(6.0 / fanIn) / omega;
            return new Bounds(weight, 1 / Math.sqrt(fanIn));
        }
    }

    /**
     * max(0, u): the network of <a href="https://arxiv.org/abs/2006.10739">Tancik et al. 2020</a>.
     */
    record Relu() implements CoordinateActivation {

        /** {@inheritDoc} */
        @Override
        public NDArray apply(NDArray u, int layer) {
            return Activation.relu(u);
        }

        @Override
        public String toString() {
            return "Relu";
        }
    }

    /**
     * sin(ω u): SIREN (<a href="https://arxiv.org/abs/2006.09661">Sitzmann et al. 2020</a>, section
     * 3.2), with ω_0 in place of ω in the first layer. Initial weights are U(±1/n) in the first
     * layer and U(±√(6/n)/ω) in all others.
     *
     * <p>The paper's ω_0 is 30 for coordinates in [−1, 1]. Over [0, 1), where this library's images
     * and signals lie, the same waves need twice as much.
     *
     * @param firstOmega ω_0, positive: the highest frequencies of the first layer, in radians per
     *     unit of the features
     * @param omega ω, positive; 30 in the paper
     */
    record Sine(double firstOmega, double omega) implements CoordinateActivation {

        /** Checks both. */
        public Sine {
            positive(firstOmega, "the first layer's omega");
            positive(omega, "omega");
        }

        /**
         * Returns SIREN with one ω for all layers, as in the paper.
         *
         * @param omega ω and ω_0, positive; 30 in the paper
         * @return the activation
         */
        public static Sine of(double omega) {
            return new Sine(omega, omega);
        }

        /** {@inheritDoc} */
        @Override
        public NDArray apply(NDArray u, int layer) {
            try (NDArray phase = Scalars.mul(u, layer == 0 ? firstOmega : omega)) {
                return phase.sin();
            }
        }

        /** {@inheritDoc} */
        @Override
        public Bounds initial(int layer, int fanIn) {
            return Bounds.ofSines(layer, fanIn, omega);
        }
    }

    /**
     * exp(−u² / 2σ²) (<a href="https://arxiv.org/abs/2111.15135">Ramasinghe and Lucey 2022</a>).
     *
     * @param sigma σ, positive; 0.05 to 0.1 suits images
     */
    record Gaussian(double sigma) implements CoordinateActivation {

        /** Checks σ. */
        public Gaussian {
            positive(sigma, "sigma");
        }

        /**
         * Returns the activation as later papers write it, exp(−(s u)²).
         *
         * @param scale s, positive; 30 in WIRE's and FINER's comparisons
         * @return σ = 1 / (√2 s)
         */
        public static Gaussian ofScale(double scale) {
            return new Gaussian(1 / (Math.sqrt(2) * positive(scale, "the scale")));
        }

        /** {@inheritDoc} */
        @Override
        public NDArray apply(NDArray u, int layer) {
            try (NDArray square = u.square();
                    NDArray exponent = Scalars.mul(square, -1 / (2 * sigma * sigma))) {
                return exponent.exp();
            }
        }
    }

    /**
     * sin(ω (|u| + 1) u): FINER (<a href="https://arxiv.org/abs/2312.02434">Liu et al. 2024</a>), a
     * sine whose frequency grows with |u|, with ω_0 in place of ω in the first layer. Initial
     * weights are those of {@link Sine}; the biases of the first layer are U(±k), and a greater k
     * begins with higher frequencies.
     *
     * <p>Gradients are those of this function. The authors' code treats |u| + 1 as a constant
     * there, which made no difference of note in fits of an image.
     *
     * @param firstOmega ω_0, positive, as of {@link Sine}
     * @param omega ω, positive; 30 in the paper
     * @param firstBias k, positive
     */
    record Finer(double firstOmega, double omega, double firstBias)
            implements CoordinateActivation {

        /** Checks all. */
        public Finer {
            positive(firstOmega, "the first layer's omega");
            positive(omega, "omega");
            positive(firstBias, "the first layer's bias");
        }

        /** {@inheritDoc} */
        @Override
        public NDArray apply(NDArray u, int layer) {
            try (NDArray size = u.abs();
                    NDArray grown = size.add(1);
                    NDArray v = grown.mul(u);
                    NDArray phase = Scalars.mul(v, layer == 0 ? firstOmega : omega)) {
                return phase.sin();
            }
        }

        /** {@inheritDoc} */
        @Override
        public Bounds initial(int layer, int fanIn) {
            Bounds sines = Bounds.ofSines(layer, fanIn, omega);
            return layer == 0 ? new Bounds(sines.weight(), firstBias) : sines;
        }
    }

    /**
     * exp(i ω u − |s u|²): WIRE (<a href="https://arxiv.org/abs/2301.05187">Saragadam et al.
     * 2023</a>, equation 4), complex Gabor wavelets, with ω_0 in place of ω in the first layer. u
     * is real in the first layer; all later maps are complex, and the outputs are real parts. So a
     * hidden layer has four times the weights of a real one as wide, and the authors make theirs
     * narrower by √2.
     *
     * @param firstOmega ω_0, positive, as of {@link Sine}
     * @param omega ω, positive; 20 in the paper's images
     * @param scale s, positive; 10 to 30 in the paper
     */
    record Wire(double firstOmega, double omega, double scale) implements CoordinateActivation {

        /** Checks all. */
        public Wire {
            positive(firstOmega, "the first layer's omega");
            positive(omega, "omega");
            positive(scale, "the scale");
        }

        /** {@inheritDoc} */
        @Override
        public int parts() {
            return 2;
        }

        /** {@inheritDoc} */
        @Override
        public NDArray apply(NDArray u, int layer) {
            if (layer == 0) {
                try (NDArray decay = decay(u)) {
                    return wave(u, decay, firstOmega);
                }
            }
            NDList parts = u.split(2, u.getShape().dimension() - 1); // u = a + ib
            try (NDArray a = parts.get(0);
                    NDArray b = parts.get(1);
                    NDArray across = decay(a);
                    NDArray along = decay(b);
                    NDArray both = across.add(along);
                    NDArray tilt = Scalars.mul(b, -omega);
                    NDArray decay = both.add(tilt)) {
                return wave(a, decay, omega);
            }
        }

        /** −s² x². */
        private NDArray decay(NDArray x) {
            try (NDArray square = x.square()) {
                return Scalars.mul(square, -scale * scale);
            }
        }

        /** e^decay (cos ω a, sin ω a). */
        private static NDArray wave(NDArray a, NDArray decay, double omega) {
            try (NDArray size = decay.exp();
                    NDArray angle = Scalars.mul(a, omega);
                    NDArray cosine = angle.cos();
                    NDArray sine = angle.sin();
                    NDArray real = cosine.mul(size);
                    NDArray imaginary = sine.mul(size)) {
                return real.concat(imaginary, -1);
            }
        }
    }

    private static double positive(double value, String what) {
        if (!(value > 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(what + " must be positive and finite, got " + value);
        }
        return value;
    }
}
