/**
 * Fine-tunes the model of a Hugging Face folder, with another RoPE for a longer context where that
 * is asked for, and hands back a folder; measures before and after how far it reads.
 */
package org.posenc.experiment.finetuning;
