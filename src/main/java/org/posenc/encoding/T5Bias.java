package org.posenc.encoding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Embedding;
import ai.djl.training.ParameterStore;
import org.posenc.kernel.Cast;

/**
 * T5's relative position bias (<a href="https://arxiv.org/abs/1910.10683">Raffel et al. 2020</a>).
 *
 * <p>b_h(i, j) = E[bucket(j − i), h] with a learned table E (buckets, H), shared by the layers,
 * that starts as N(0, 0.02²). Near distances have a bucket each, farther ones share buckets whose
 * width grows with the logarithm, and all from the greatest distance on share the last. Buckets
 * beyond the distances of training stay untrained: keep the greatest distance within the training
 * length.
 *
 * <p>T5 itself attends without the factor 1/√D. Distances that are not whole are rounded.
 */
public final class T5Bias extends DistanceBias {

    private static final byte VERSION = 1;

    private final int buckets;
    private final int maxDistance;
    private final boolean bidirectional;
    private final DeviceConstant bucketOf; // of the distances −maxDistance … maxDistance
    private final Parameter table;

    private T5Bias(Builder builder) {
        super(VERSION, builder.heads);
        buckets = builder.buckets;
        maxDistance = builder.maxDistance;
        bidirectional = builder.bidirectional;
        double[] each = new double[2 * maxDistance + 1];
        for (int k = 0; k < each.length; k++) {
            each[k] = bucket(k - maxDistance, buckets, maxDistance, bidirectional);
        }
        bucketOf = new DeviceConstant(each);
        table =
                parameter(
                        "table",
                        Parameter.Type.WEIGHT,
                        SeededInitializer.normal(0.02, builder.seed, "table"),
                        buckets,
                        builder.heads);
    }

    /**
     * Returns a builder.
     *
     * @return a builder of the causal form with 32 buckets up to distance 128; heads must be set
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns the bucket of a distance.
     *
     * <p>With B = buckets, halved in the bidirectional form where keys after the query have the
     * upper half, and n = |distance|: n for n &lt; B/2, else min(B − 1, B/2 + ⌊(B − B/2) ln(n /
     * (B/2)) / ln(maxDistance / (B/2))⌋).
     *
     * @param distance key position − query position
     * @param buckets the number of buckets
     * @param maxDistance where the last bucket begins at the latest
     * @param bidirectional false where keys after the query count as distance 0
     * @return the bucket, from 0
     */
    public static int bucket(long distance, int buckets, int maxDistance, boolean bidirectional) {
        int b = bidirectional ? buckets / 2 : buckets;
        int upper = bidirectional && distance > 0 ? b : 0;
        long n = bidirectional ? Math.abs(distance) : Math.max(-distance, 0);
        int exact = b / 2;
        if (n < exact) {
            return upper + (int) n;
        }
        double part = Math.log((double) n / exact) / Math.log((double) maxDistance / exact);
        return upper + (int) Math.min(b - 1L, exact + (long) (part * (b - exact)));
    }

    /** {@inheritDoc} */
    @Override
    protected NDArray biases(
            NDArray distances, DataType type, ParameterStore parameters, boolean training) {
        NDArray e = parameters.getValue(table, distances.getDevice(), training); // (buckets, H)
        Shape shape = distances.getShape(); // (…, T, S)
        try (NDArray whole = distances.round();
                NDArray near = whole.clip(-maxDistance, maxDistance);
                NDArray shifted = near.add(maxDistance);
                NDArray index = Cast.to(shifted, DataType.INT64, false);
                NDArray everyHead =
                        index.reshape(1, shape.size()).broadcast(heads(), shape.size());
                NDArray order = order(distances);
                NDArray rows = rows(order, e); // (2 maxDistance + 1, H)
                NDArray ofDistance = rows.transpose();
                // Along a row of values, not row by row: the gradient is many times faster.
                NDArray bias = ofDistance.gather(everyHead, 1)) { // (H, … T S)
            return shape.dimension() == 2
                    ? bias.reshape(heads(), shape.get(0), shape.get(1))
                    : bias.reshape(heads(), shape.get(0), shape.get(1), shape.get(2))
                            .swapAxes(0, 1); // (…, H, T, S)
        }
    }

    /** The buckets of −maxDistance … maxDistance, int64, owned by the distances' manager. */
    private NDArray order(NDArray distances) {
        NDArray order =
                Cast.to(bucketOf.beside(distances, DataType.FLOAT64), DataType.INT64, false);
        order.attach(distances.getManager());
        return order;
    }

    private static NDArray rows(NDArray index, NDArray table) {
        return Embedding.embedding(index, table, SparseFormat.DENSE).singletonOrThrow();
    }

    /** {@inheritDoc} */
    @Override
    protected String configuration() {
        return super.configuration()
                + ", "
                + buckets
                + " buckets to distance "
                + maxDistance
                + (bidirectional ? ", bidirectional" : ", causal");
    }

    static NamedEncoding named() {
        return NamedEncoding.withoutFeatures(
                "t5",
                "learned bias for each bucket of distances (T5, Raffel et al. 2020)",
                (site, settings) -> {
                    boolean bidirectional =
                            settings.automatic("bidirectional")
                                    ? !site.causal()
                                    : settings.flag("bidirectional");
                    int sides = bidirectional ? 2 : 1;
                    int farthest =
                            settings.integer(
                                    "max-distance", Math.min(128, Math.max(2, site.length())));
                    int most = Math.max(2, Integer.highestOneBit(Math.max(1, farthest - 1)));
                    return builder()
                            .setHeads(site.heads())
                            .optBuckets(settings.integer("buckets", Math.min(32, sides * most)))
                            .optMaxDistance(farthest)
                            .optBidirectional(bidirectional)
                            .optSeed(site.seed())
                            .build();
                },
                new Settings.Key("buckets", "auto", "number of buckets; auto: 32, or what fits"),
                new Settings.Key(
                        "max-distance",
                        "auto",
                        "where the last bucket begins; auto: the training length, 128 at most"),
                new Settings.Key(
                        "bidirectional",
                        "auto",
                        "true, false or auto: as the attention it is made for"));
    }

    /** Builds {@link T5Bias}. */
    public static final class Builder {

        private int heads;
        private int buckets = 32;
        private int maxDistance = 128;
        private boolean bidirectional;
        private long seed;

        private Builder() {}

        /**
         * Sets the number of heads.
         *
         * @param heads H
         * @return this builder
         */
        public Builder setHeads(int heads) {
            this.heads = heads;
            return this;
        }

        /**
         * Sets the number of buckets.
         *
         * @param buckets 32 where it is not set; at least 2, in the bidirectional form even and at
         *     least 4
         * @return this builder
         */
        public Builder optBuckets(int buckets) {
            this.buckets = buckets;
            return this;
        }

        /**
         * Sets the greatest distance that is told apart.
         *
         * @param maxDistance 128 where it is not set; above the number of buckets of one distance
         * @return this builder
         */
        public Builder optMaxDistance(int maxDistance) {
            this.maxDistance = maxDistance;
            return this;
        }

        /**
         * Sets the form.
         *
         * @param bidirectional whether keys after the query have buckets of their own; false where
         *     it is not set
         * @return this builder
         */
        public Builder optBidirectional(boolean bidirectional) {
            this.bidirectional = bidirectional;
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
         * @throws IllegalArgumentException if the buckets do not fit the distance
         */
        public T5Bias build() {
            if (bidirectional) {
                Checks.even(Checks.atLeast(4, buckets, "buckets of both directions"), "buckets");
            }
            Checks.atLeast(2, buckets, "buckets");
            int exact = (bidirectional ? buckets / 2 : buckets) / 2;
            if (maxDistance <= exact) {
                throw new IllegalArgumentException(
                        "the greatest distance must be above "
                                + exact
                                + ", the buckets of one distance among "
                                + buckets
                                + ", got "
                                + maxDistance);
            }
            return new T5Bias(this);
        }
    }
}
