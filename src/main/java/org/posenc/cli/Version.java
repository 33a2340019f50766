package org.posenc.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine.IVersionProvider;

/** The version of posenc, as the build wrote it. */
final class Version implements IVersionProvider {

    /** Returns posenc's version and those of what it runs on. */
    @Override
    public String[] getVersion() {
        return new String[] {
            "posenc " + text(), "Java " + System.getProperty("java.version"),
        };
    }

    /** Returns posenc's version. */
    static String text() {
        try (InputStream in = Version.class.getResourceAsStream("version.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
