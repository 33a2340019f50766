package org.posenc.encoding;

/**
 * What a Transformer tells an encoding that is made for it by name.
 *
 * @param embeddingSize E
 * @param heads H, the number of query heads
 * @param keyValueHeads G, the number of key heads, which divides H
 * @param headDimension D, the size of one head
 * @param length the number of positions seen in training
 * @param causal whether a query is kept from the keys after it
 * @param seed draws whatever the encoding draws at random
 */
public record Site(
        int embeddingSize,
        int heads,
        int keyValueHeads,
        int headDimension,
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
        Checks.atLeast(1, length, "length");
    }

    /**
     * A Transformer whose query heads have keys of their own.
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
}
