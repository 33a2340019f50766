/** What leaves and enters posenc as files that other tools read too: tokenizers and checkpoints. */
package org.posenc.checkpoint;
