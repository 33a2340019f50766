package org.posenc.signal;

/** Whether the last axis of an array holds channels, which a {@code .npy} file does not say. */
public enum ChannelAxis {
    /** It does where it is the second or later and at most 4 long. */
    SHORT,
    /** It does. */
    LAST,
    /** It does not: there is one channel. */
    NONE;

    private static final int LONGEST = 4;

    boolean holdsChannels(int[] shape) {
        return switch (this) {
            case SHORT -> shape.length > 1 && shape[shape.length - 1] <= LONGEST;
            case LAST -> shape.length > 1;
            case NONE -> false;
        };
    }
}
