package org.posenc.experiment.finetuning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import com.sun.jna.Platform;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.posenc.attention.Lora;
import org.posenc.checkpoint.ModelFolder;
import org.posenc.experiment.Progress;
import org.posenc.kernel.Precision;
import org.posenc.report.Npy;
import org.posenc.report.Provenance;
import org.posenc.testing.FreshJvm;

/** A training of many steps takes no more memory at its end than near its beginning. */
@Tag("slow")
class SoakTest {

    private static final int STEPS = 20_000;

    @TempDir private Path folder;

    @Test
    void memoryStaysFlatOverTwentyThousandSteps() throws Exception {
        assumeTrue(Platform.isLinux(), "memory is what glibc counts");
        SplittableRandom random = new SplittableRandom(6);
        Npy.of(random.doubles(4000, 3, 64).map(Math::floor).toArray(), "<i4", 400, 10)
                .write(folder.resolve("ids.npy"));
        String[] said = FreshJvm.interpret(Training.class, folder.toString()).split("\\s+");
        long early = Long.parseLong(said[0]);
        long late = Long.parseLong(said[1]);
        long earlyHeap = Long.parseLong(said[2]);
        long lateHeap = Long.parseLong(said[3]);
        // Measured: 53 kB; an array of one number left behind in each step is 3 MB. The log keeps
        // some 50 bytes of each step on Java's heap, 0.8 MB.
        assertThat(late - early).as("bytes of %d", late).isLessThan(1 << 19);
        assertThat(lateHeap - earlyHeap).as("heap bytes of %d", lateHeap).isLessThan(2 << 20);
    }

    /** Prints bytes outside and inside the heap, after a fifth and after all steps. */
    static final class Training implements Progress {

        private final StringBuilder outside = new StringBuilder();
        private final StringBuilder inside = new StringBuilder();
        private int steps;

        public static void main(String[] args) throws Exception {
            Path folder = Path.of(args[0]);
            Path base = Path.of("test-data", "goldens", "checkpoints", "llama_default");
            ModelFolder opened = ModelFolder.open(base);
            FinetunePlan plan =
                    new FinetunePlan(
                            base,
                            new DataFiles(
                                    List.of(),
                                    List.of(folder.resolve("ids.npy")),
                                    "text",
                                    List.of(),
                                    0.1),
                            opened.rope(),
                            opened.encoding(),
                            8,
                            new Tuning.LowRank(Lora.of(2, 4, "q_proj", "v_proj")),
                            new Optimization(
                                    STEPS,
                                    2,
                                    1,
                                    1e-4,
                                    Optimization.Schedule.LINEAR,
                                    10,
                                    0,
                                    0.9,
                                    0.99,
                                    1,
                                    Precision.FLOAT32,
                                    0),
                            new FinetunePlan.Measures(1000, 2, 2, 0),
                            new FinetunePlan.Saving(100, Duration.ofDays(1), false),
                            1,
                            Device.cpu());
            Provenance origin = Provenance.now("soak", 1, Map.of(), Map.of(), "cpu");
            Training training = new Training();
            Finetuning.run(plan, folder.resolve("out"), origin, training);
            System.out.println(training.outside.toString() + training.inside);
        }

        @Override
        public void started(long all, long done) {
            // Nothing is there to be measured yet.
        }

        @Override
        public void advanced(long more) {
            steps += (int) more;
            if (steps == STEPS / 5 || steps == STEPS) {
                outside.append(FreshJvm.allocatedBytes()).append(' ');
                Runtime java = Runtime.getRuntime();
                inside.append(java.totalMemory() - java.freeMemory()).append(' ');
            }
        }

        @Override
        public void finished(String trial) {
            // The log has it.
        }
    }
}
