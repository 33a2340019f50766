package org.posenc.experiment.finetuning;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.posenc.cli.Posenc;
import org.posenc.report.JsonLines;
import org.posenc.report.Npy;

/** A process that is killed (SIGKILL) at any instant goes on when its command is given again. */
@Tag("slow")
class KilledTest {

    private static final int ROUNDS = 50;
    private static final int STEPS = 3000;

    @TempDir private Path folder;

    private Process start(Path out) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", Posenc.class.getName()));
        command.addAll(List.of("finetune", "--model"));
        command.add("test-data/goldens/checkpoints/llama_default");
        command.addAll(List.of("--data", folder.resolve("ids.npy").toString()));
        command.addAll(List.of("--rope", "yarn", "--factor", "2", "--targets", "q_proj,up_proj"));
        command.addAll(List.of("--dropout", "0.1", "--learning-rate", "0.003", "--batch", "2"));
        command.addAll(List.of("--steps", Integer.toString(STEPS), "--save-every", "1"));
        command.addAll(List.of("--measure-every", "300", "--windows", "2", "--passkeys", "0"));
        command.addAll(List.of("--out", out.toString()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.redirectOutput(folder.resolve("said.txt").toFile());
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        return builder.start();
    }

    private void finish(Path out) throws IOException, InterruptedException {
        Process process = start(out);
        assertThat(process.waitFor(15, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).as(Files.readString(folder.resolve("said.txt"))).isZero();
    }

    private static List<JsonObject> lines(Path out) {
        List<JsonObject> lines = JsonLines.read(out.resolve("training/metrics.jsonl"));
        lines.forEach(line -> line.remove("seconds"));
        lines.forEach(line -> line.remove("memory"));
        return lines;
    }

    @Test
    void fiftyKillsLeaveTheWeightsOfAnUndisturbedRun() throws Exception {
        SplittableRandom random = new SplittableRandom(6);
        Npy.of(random.doubles(4000, 3, 64).map(Math::floor).toArray(), "<i4", 80, 50)
                .write(folder.resolve("ids.npy"));
        Path undisturbed = folder.resolve("undisturbed");
        finish(undisturbed);

        Path out = folder.resolve("killed");
        Path metrics = out.resolve("training/metrics.jsonl");
        int amidst = 0;
        for (int round = 0; round < ROUNDS; round++) {
            long before = Files.exists(metrics) ? Files.size(metrics) : 0;
            Process process = start(out);
            // Every third at any time from its start; the others while they train, or save.
            long wait = random.nextLong(1500);
            long begin = System.nanoTime();
            while (process.isAlive() && System.nanoTime() - begin < TimeUnit.SECONDS.toNanos(60)) {
                boolean grew = Files.exists(metrics) && Files.size(metrics) > before;
                if (round % 3 == 0
                        ? System.nanoTime() - begin > TimeUnit.MILLISECONDS.toNanos(wait)
                        : grew) {
                    break;
                }
                Thread.sleep(1);
            }
            Thread.sleep(round % 3 == 0 ? 0 : random.nextLong(40));
            amidst += process.isAlive() ? 1 : 0;
            process.destroyForcibly().waitFor();
        }
        assertThat(amidst).isGreaterThan(40); // the others were done
        finish(out);

        assertThat(lines(out)).isEqualTo(lines(undisturbed));
        for (String file : List.of("model.safetensors", "adapter/adapter_model.safetensors")) {
            assertThat(out.resolve(file)).hasSameBinaryContentAs(undisturbed.resolve(file));
        }
        try (Stream<Path> left = Files.list(out.resolve("training"))) {
            assertThat(left.map(f -> f.getFileName().toString()))
                    .doesNotContain("state.safetensors");
        }
    }
}
