package org.posenc.encoding;

/**
 * What a Transformer tells an encoding that is made for it by name.
 *
 * @param embeddingSize E
 * @param heads H, the number of query heads
 * @param keyValueHeads G, the number of key heads, which divides H
 * @param headDimension D, the size of one head
 * @param layers the number of layers
 * @param length the number of positions seen in training
 * @param causal whether a query is kept from the keys after it
 * @param seed draws whatever the encoding draws at random
 */
public record Site(
        int embeddingSize,
        int heads,
        int keyValueHeads,
        int headDimension,
        int layers,
        int length,
        boolean causal,
        long seed) {

    /** Checks the values. */
    public Site {
        Checks.atLeast(1, embeddingSize, "embedding size");
        Checks.atLeast(1, heads, "heads");
        Checks.atLeast(1, keyValueHeads, "key heads");
        Checks.divided(heads, keyValueHeads, "heads");
        Checks.atLeast(1, headDimension, "head dimension");
        Checks.atLeast(1, layers, "layers");
        Checks.atLeast(1, length, "length");
    }

    /**
     * A Transformer of one layer.
     *
     * @param embeddingSize E
     * @param heads H, the number of query heads
     * @param keyValueHeads G, the number of key heads, which divides H
     * @param headDimension D, the size of one head
     * @param length the number of positions seen in training
     * @param causal whether a query is kept from the keys after it
     * @param seed draws whatever the encoding draws at random
     */
    public Site(
            int embeddingSize,
            int heads,
            int keyValueHeads,
            int headDimension,
            int length,
            boolean causal,
            long seed) {
        this(embeddingSize, heads, keyValueHeads, headDimension, 1, length, causal, seed);
    }

    /**
     * A Transformer of one layer whose query heads have keys of their own.
     *
     * @param embeddingSize E
     * @param heads H
     * @param headDimension D, the size of one head
     * @param length the number of positions seen in training
     * @param causal whether a query is kept from the keys after it
     * @param seed draws whatever the encoding draws at random
     */
    public Site(
            int embeddingSize,
            int heads,
            int headDimension,
            int length,
            boolean causal,
            long seed) {
        this(embeddingSize, heads, heads, headDimension, length, causal, seed);
    }

    /** Returns this Transformer for what one of its layers draws: layer 0 draws what all would. */
    Site ofLayer(int layer) {
        long own = seed ^ layer * 0x9E3779B97F4A7C15L; // the golden ratio: no two seeds meet
        return new Site(
                embeddingSize, heads, keyValueHeads, headDimension, layers, length, causal, own);
    }
}
