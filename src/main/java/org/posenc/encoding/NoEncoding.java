package org.posenc.encoding;

/**
 * No positional encoding (NoPE, <a href="https://arxiv.org/abs/2305.19466">Kazemnejad et al.
 * 2023</a>): a causal decoder can still count, because each token sees another number of tokens.
 */
public final class NoEncoding extends EncodingBlock {

    private static final byte VERSION = 1;

    /** The encoding that changes nothing. */
    public NoEncoding() {
        super(VERSION);
    }

    static NamedEncoding named() {
        return NamedEncoding.withoutFeatures(
                "none",
                "no encoding (NoPE, Kazemnejad et al. 2023)",
                (site, s) -> new NoEncoding());
    }
}
