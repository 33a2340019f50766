/**
 * The experiments of "Rethinking Positional Encoding" (<a
 * href="https://arxiv.org/abs/2107.02561">Zheng et al. 2021</a>) and "Trading Positional Complexity
 * vs. Deepness" (<a href="https://arxiv.org/abs/2205.08987">2022</a>) as recipes, and their claims:
 * what stands behind {@code posenc reproduce}.
 */
package org.posenc.experiment.reproduction;
