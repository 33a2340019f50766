package org.posenc.encoding;

import java.util.List;

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
        return new NamedEncoding(
                "none",
                "no encoding (NoPE, Kazemnejad et al. 2023); as features, the coordinates",
                List.of(),
                (site, settings) -> new NoEncoding(),
                (space, settings) -> new Coordinates(space.positionDimension()));
    }
}
