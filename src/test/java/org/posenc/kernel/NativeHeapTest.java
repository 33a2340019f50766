package org.posenc.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

class NativeHeapTest {

    private static final int PAGES_OF_AN_ARRAY = 3_000_000 * 4 / 4096;

    @Test
    void freedMemoryIsUsedAgain() throws Exception {
        assumeTrue(NativeHeap.keepFreed(), "the C library is not glibc");
        ExecutorService worker = Executors.newSingleThreadExecutor();
        try {
            long faults =
                    worker.submit(
                                    () -> {
                                        allocate(20); // a heap with pieces of others' grows first
                                        long before = pageFaults();
                                        allocate(50);
                                        return pageFaults() - before;
                                    })
                            .get();
            assertThat(faults).isLessThan(50 * PAGES_OF_AN_ARRAY / 10);
        } finally {
            worker.shutdown();
        }
    }

    private static void allocate(int times) {
        for (int i = 0; i < times; i++) {
            try (NDManager manager = NDManager.newBaseManager()) {
                for (int j = 0; j < 3; j++) {
                    manager.zeros(new Shape(3_000_000));
                }
            }
        }
    }

    private static long pageFaults() throws Exception {
        String stat = Files.readString(Path.of("/proc/thread-self/stat"));
        String afterName = stat.substring(stat.lastIndexOf(')') + 2);
        return Long.parseLong(afterName.split(" ")[7]); // minflt of proc(5)
    }
}
