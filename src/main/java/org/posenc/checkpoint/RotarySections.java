package org.posenc.checkpoint;

import java.util.List;

/**
 * How multi-section RoPE shares the pairs of a head among the coordinates of a token, time, height
 * and width (<a href="https://arxiv.org/abs/2409.12191">Wang et al. 2024</a>, section 2.1): Hugging
 * Face's {@code mrope_section}.
 *
 * @param sizes how many pairs each coordinate turns; their sum is the number of pairs
 * @param interleaved whether the coordinates take turns pair by pair (Qwen3-VL) and not in chunks
 */
public record RotarySections(List<Integer> sizes, boolean interleaved) {

    /** Checks and copies the sizes. */
    public RotarySections {
        sizes = List.copyOf(sizes);
        if (sizes.isEmpty() || sizes.stream().anyMatch(size -> size < 0)) {
            throw new IllegalArgumentException(
                    "multi-section RoPE needs sizes of at least 0, got " + sizes);
        }
    }

    /**
     * Returns how many pairs turn.
     *
     * @return the sum of the sizes
     */
    public int pairs() {
        return sizes.stream().mapToInt(Integer::intValue).sum();
    }
}
