package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Activation;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import org.posenc.kernel.Cast;
import org.posenc.kernel.Scalars;

/**
 * Kernelized relative positions (KERPLE, <a href="https://arxiv.org/abs/2205.09921">Chi et al.
 * 2022</a>).
 *
 * <p>b_h(i, j) = −p_h ln(1 + a_h |i − j|) in the logarithmic form, −a_h |i − j|^p_h in that of a
 * power, for a query at position i and a key at position j, which may be any real numbers. Two
 * numbers of each head are learned, p &gt; 0 and a &gt; 0, and p &lt; 2 in the form of a power.
 *
 * <p>The authors' code keeps p and a themselves and cuts them at 0.01, where their gradient ends.
 * Here the parameters are free numbers whose every value is allowed: ln p and ln a, and in the form
 * of a power ln(p / (2 − p)) for p. They start as the authors', p from U(0, 2) and a from U(0, 1),
 * less the outermost 0.01.
 */
public final class Kerple extends DistanceBias {

    private static final byte VERSION = 1;

    /** What the distance is put through. */
    public enum Form {
        /** −p ln(1 + a d), the authors' best. */
        LOG,
        /** −a d^p. */
        POWER
    }

    private final Form form;
    private final Parameter freeP;
    private final Parameter freeA;

    private Kerple(Builder builder) {
        super(VERSION, builder.heads);
        form = builder.form;
        SeededInitializer p = SeededInitializer.uniform(0.01, 1.99, builder.seed, "p");
        SeededInitializer a = SeededInitializer.uniform(0.01, 1, builder.seed, "a");
        freeP =
                form == Form.LOG
                        ? parameter("logP", p.map(Math::log))
                        : parameter("logitP", p.map(value -> Math.log(value / (2 - value))));
        freeA = parameter("logA", a.map(Math::log));
    }

    private Parameter parameter(String name, SeededInitializer initializer) {
        return parameter(name, Parameter.Type.WEIGHT, initializer, heads());
    }

    /**
     * Returns a builder.
     *
     * @return a builder of the logarithmic form; heads must be set
     */
    public static Builder builder() {
        return new Builder();
    }

    /** {@inheritDoc} */
    @Override
    protected NDArray biases(
            NDArray distances, DataType type, ParameterStore parameters, boolean training) {
        NDArray p = value(freeP, distances, type, parameters, training).reshape(heads(), 1, 1);
        NDArray a =
                value(freeA, distances, type, parameters, training).reshape(heads(), 1, 1).exp();
        try (NDArray apart = distances.abs();
                NDArray typed = Cast.to(apart, type, true);
                NDArray d = typed.expandDims(-3)) { // (…, 1, T, S)
            return form == Form.LOG ? log(d, p.exp(), a) : power(d, Activation.sigmoid(p), a);
        }
    }

    private static NDArray log(NDArray d, NDArray p, NDArray a) {
        try (NDArray scaled = d.mul(a);
                NDArray grown = scaled.add(1);
                NDArray log = grown.log()) {
            return log.mul(p.neg()); // (…, H, T, S)
        }
    }

    private static NDArray power(NDArray d, NDArray halfP, NDArray a) {
        try (NDArray power = d.pow(Scalars.mul(halfP, 2))) {
            return power.mul(a.neg()); // (…, H, T, S)
        }
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return super.configuration() + ", form " + Settings.nameOf(form);
    }

    static NamedEncoding named() {
        return NamedEncoding.withoutFeatures(
                "kerple",
                "learned bias that falls with the logarithm of the distance (KERPLE, Chi et al."
                        + " 2022)",
                (site, settings) ->
                        builder()
                                .setHeads(site.heads())
                                .optForm(settings.choice("form", Form.class))
                                .optSeed(site.seed())
                                .build(),
                new Settings.Key("form", "log", "log or power: what the distance is put through"));
    }

    /** Builds {@link Kerple}. */
    public static final class Builder {

        private int heads;
        private Form form = Form.LOG;
        private long seed;

        private Builder() {}

        /**
         * Sets the number of heads.
         *
         * @param heads H, at least 1
         * @return this builder
         */
        public Builder setHeads(int heads) {
            this.heads = heads;
            return this;
        }

        /**
         * Sets what the distance is put through.
         *
         * @param form {@link Form#LOG} where it is not set
         * @return this builder
         */
        public Builder optForm(Form form) {
            this.form = form;
            return this;
        }

        /**
         * Sets what draws the initial values.
         *
         * @param seed any number; 0 where it is not set
         * @return this builder
         */
        public Builder optSeed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Builds the encoding.
         *
         * @return a new block
         * @throws IllegalArgumentException if the number of heads is missing
         */
        public Kerple build() {
            return new Kerple(this);
        }
    }
}
