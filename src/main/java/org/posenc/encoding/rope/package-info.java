/**
 * Rotary position embedding: frequencies and their scalings in plain double precision, and the
 * block that turns queries and keys.
 */
package org.posenc.encoding.rope;
