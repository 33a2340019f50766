/**
 * What an encoding's numbers are worth before anything is trained: stable rank, singular value
 * spectrum, distance preservation and position similarity, as functions of a matrix and of an
 * encoding over given positions (<a href="https://arxiv.org/abs/2107.02561">Zheng et al. 2021</a>).
 */
package org.posenc.analysis;
