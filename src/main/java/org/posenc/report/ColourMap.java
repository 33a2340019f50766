package org.posenc.report;

/** Colours for numbers, as in Matplotlib, interpolated between ten or eleven of its own. */
public enum ColourMap {
    /** From dark violet to yellow, evenly bright to the eye: for a range from low to high. */
    VIRIDIS(
            0x440154, 0x482878, 0x3e4989, 0x31688e, 0x26828e, 0x1f9e89, 0x35b779, 0x6ece58,
            0xb5de2b, 0xfde725),
    /** Blue over white to red (ColorBrewer RdBu): for values on both sides of a middle. */
    DIVERGING(
            0x053061, 0x2166ac, 0x4393c3, 0x92c5de, 0xd1e5f0, 0xf7f7f7, 0xfddbc7, 0xf4a582,
            0xd6604d, 0xb2182b, 0x67001f);

    private static final int NOT_A_NUMBER = 0xbfc3c9;

    private final int[] stops;

    ColourMap(int... stops) {
        this.stops = stops;
    }

    /**
     * Returns the colour of a value.
     *
     * @param share where the value lies in its range, 0 … 1; beyond is cut, NaN is grey
     * @return the colour as 0xRRGGBB
     */
    public int rgb(double share) {
        if (Double.isNaN(share)) {
            return NOT_A_NUMBER;
        }
        double place = Math.max(0, Math.min(1, share)) * (stops.length - 1);
        int below = Math.min((int) place, stops.length - 2);
        double part = place - below;
        return channel(below, part, 16) | channel(below, part, 8) | channel(below, part, 0);
    }

    private int channel(int below, double part, int shift) {
        int from = stops[below] >> shift & 0xff;
        int to = stops[below + 1] >> shift & 0xff;
        return (int) Math.round(from + (to - from) * part) << shift;
    }
}
