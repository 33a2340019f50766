/**
 * The program {@code posenc}: its commands, their options and exit codes. No mathematics.
 *
 * <p>Exit codes: 0 done, 1 an error of posenc itself, 2 bad input (one sentence on the error
 * stream), 130 interrupted. Results go to the standard output, everything else to the error stream.
 */
package org.posenc.cli;
