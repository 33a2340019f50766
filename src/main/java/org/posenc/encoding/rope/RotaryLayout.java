package org.posenc.encoding.rope;

/** Which two components of a head make a pair that is turned by one angle. */
public enum RotaryLayout {
    /** (x₂ᵢ, x₂ᵢ₊₁): the paper, Meta's Llama code, GPT-J. The fast one. */
    INTERLEAVED,
    /** (xᵢ, xᵢ₊ᵣ⸝₂): GPT-NeoX, and Hugging Face's Llama, Mistral, Qwen and Phi. */
    HALF_SPLIT
}
