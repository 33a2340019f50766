package org.posenc.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProvenanceTest {

    @TempDir private Path folder;

    @Test
    void saysWhatRan() {
        Provenance now =
                Provenance.now("posenc x", 3, Map.of("steps", "9"), Map.of("DJL", "0"), "cpu");
        assertThat(now.fields())
                .containsEntry("command", "posenc x")
                .containsEntry("seed", "3")
                .containsEntry("steps", "9")
                .containsEntry("DJL", "0")
                .containsEntry("Java", System.getProperty("java.version"));
    }

    @Test
    void knowsTheCommitOfAFolder() throws Exception {
        assertThat(Provenance.commit(folder)).isEmpty();
        assertThat(Provenance.commit(folder.resolve("missing"))).isEmpty();
        Assumptions.assumeTrue(git("init", "-q") == 0, "no git here: commit not checked");
        Path file = Files.writeString(folder.resolve("a"), "1");
        git("add", "a");
        git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", "m");
        assertThat(Provenance.commit(folder).orElseThrow()).matches("[0-9a-f]{12}");
        Files.writeString(file, "2");
        assertThat(Provenance.commit(folder).orElseThrow()).matches("[0-9a-f]{12}-dirty");
    }

    private int git(String... arguments) throws InterruptedException {
        String[] command = new String[arguments.length + 1];
        command[0] = "git";
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        try {
            return new ProcessBuilder(command).directory(folder.toFile()).start().waitFor();
        } catch (IOException e) {
            return -1;
        }
    }
}
