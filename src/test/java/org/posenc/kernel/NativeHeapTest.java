package org.posenc.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.posenc.testing.FreshJvm;

class NativeHeapTest {

    private static final int ARRAYS = 50;
    private static final int VALUES = 1 << 20;
    private static final long KILOBYTES = ARRAYS * (VALUES * 4L / 1024);

    @Test
    void freedMemoryStaysWithTheProcess() throws Exception {
        assumeTrue(NativeHeap.keepFreed(), "the C library is not glibc");
        assertThat(kilobytesLeft("kept")).isGreaterThan(KILOBYTES * 3 / 4);
        assertThat(kilobytesLeft("returned")).isLessThan(KILOBYTES / 4);
    }

    private static long kilobytesLeft(String what) throws IOException, InterruptedException {
        return Long.parseLong(FreshJvm.run(Allocations.class, what));
    }

    /** Prints by how many kilobytes the process has grown once arrays were made and freed. */
    static final class Allocations {

        public static void main(String[] args) throws Exception {
            if (args[0].equals("kept") && !NativeHeap.keepFreed()) {
                throw new IllegalStateException("the C library is not glibc");
            }
            try (NDManager engine = NDManager.newBaseManager("PyTorch")) {
                engine.ones(new Shape(1)).close();
                long before = FreshJvm.residentKilobytes();
                try (NDManager manager = engine.newSubManager()) {
                    for (int i = 0; i < ARRAYS; i++) {
                        manager.ones(new Shape(VALUES));
                    }
                }
                System.out.println(FreshJvm.residentKilobytes() - before);
            }
        }
    }
}
