package org.posenc.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;

/** What a run of the program, in this JVM, left on its two streams and returned. */
record Console(int code, String out, String err) {

    static Console run(String... args) {
        return run(Posenc.commandLine(), args);
    }

    static Console run(CommandLine program, String... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        program.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        int code = program.execute(args);
        return new Console(code, out.toString(), err.toString());
    }

    /** Checks for exit code 2, one line that says why, and no result. */
    void assertBadInput() {
        assertThat(code).isEqualTo(2);
        assertThat(out).isEmpty();
        assertThat(err.strip()).isNotEmpty().doesNotContain("\n").doesNotContain("Exception");
        assertThat(err).startsWith("posenc");
    }
}
