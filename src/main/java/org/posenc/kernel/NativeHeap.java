package org.posenc.kernel;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;

/** The memory libtorch computes in. */
public final class NativeHeap {

    // glibc's malloc.h.
    private static final int M_TRIM_THRESHOLD = -1;
    private static final int M_TOP_PAD = -2;
    private static final int M_MMAP_THRESHOLD = -3;

    private static final int LARGEST_MMAP_THRESHOLD = 32 << 20;

    private NativeHeap() {}

    /**
     * Lets the process keep memory it has freed, up to a gigabyte a heap, for its next allocation.
     *
     * <p>glibc otherwise hands the megabytes that a training step frees back to the system and asks
     * for them anew in the next one: on a thread other than the first this is thousands of page
     * faults a step, up to an eighth of the time of a small Transformer. A program that trains
     * calls this once; it does not change results.
     *
     * @return whether it was done; {@code false} on systems without glibc
     */
    public static boolean keepFreed() {
        if (!Platform.isLinux()) {
            return false;
        }
        try {
            Function mallopt = NativeLibrary.getProcess().getFunction("mallopt");
            return set(mallopt, M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD)
                    && set(mallopt, M_TRIM_THRESHOLD, 1 << 30)
                    && set(mallopt, M_TOP_PAD, 64 << 20);
        } catch (UnsatisfiedLinkError e) {
            return false; // another C library
        }
    }

    private static boolean set(Function mallopt, int option, int value) {
        return mallopt.invokeInt(new Object[] {option, value}) == 1;
    }
}
