package org.posenc.signal;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntToDoubleFunction;

/**
 * Signals by which the rules of {@link WidthChoice} were not made: sounds, measurements, noise,
 * images and a volume, between smooth and rough.
 */
final class UnseenSignals {

    static final List<String> NAMES =
            List.of(
                    "chirp",
                    "melody",
                    "speech",
                    "heartbeat",
                    "temperature",
                    "telegraph",
                    "pink-noise",
                    "white-noise",
                    "leaves-7",
                    "clouds",
                    "bricks",
                    "tissue");

    private UnseenSignals() {}

    static Signal of(String name) {
        return switch (name) {
            case "chirp" ->
                    line(
                            512,
                            i ->
                                    0.5
                                            + 0.4
                                                    * Math.sin(
                                                            2
                                                                    * Math.PI
                                                                    * (4 + 40 * i / 512.0)
                                                                    * i
                                                                    / 512));
            case "melody" -> melody();
            case "speech" -> speech();
            case "heartbeat" -> heartbeat();
            case "temperature" -> temperature();
            case "telegraph" -> {
                Random random = new Random(11);
                double[] at = {0.2};
                yield line(
                        512, i -> at[0] = random.nextDouble() < 0.06 ? random.nextDouble() : at[0]);
            }
            case "pink-noise" -> {
                double[] values = spectral(512, 1, 1, 5);
                yield line(512, i -> values[i]);
            }
            case "white-noise" -> {
                Random random = new Random(8);
                yield line(512, i -> 0.5 + 0.15 * random.nextGaussian());
            }
            case "leaves-7" -> {
                double[] values = DeadLeaves.image(128, 7);
                yield new Signal(new int[] {128, 128}, 3, floats(values));
            }
            case "clouds" -> new Signal(new int[] {128, 128}, 1, floats(spectral(128, 2, 2, 6)));
            case "bricks" -> bricks();
            case "tissue" -> tissue();
            default -> throw new IllegalArgumentException(name);
        };
    }

    private static float[] floats(double[] values) {
        float[] narrow = new float[values.length];
        for (int i = 0; i < narrow.length; i++) {
            narrow[i] = (float) values[i];
        }
        return narrow;
    }

    private static Signal line(int n, IntToDoubleFunction value) {
        double[] values = new double[n];
        Arrays.setAll(values, value);
        return new Signal(new int[] {n}, 1, floats(values));
    }

    /** Plucked notes of six harmonics at 8000 samples a second, which overlap. */
    private static Signal melody() {
        double[] pitches = {262, 330, 392, 523, 440, 349};
        return line(
                1536,
                i -> {
                    double sum = 0;
                    for (int note = 0; note < pitches.length; note++) {
                        double t = (i - 256 * note) / 8000.0;
                        for (int k = 1; t >= 0 && k <= 6; k++) {
                            double loud = Math.exp(-12 * k * t) / k;
                            sum += loud * Math.sin(2 * Math.PI * k * pitches[note] * t);
                        }
                    }
                    return 0.5 + 0.15 * sum;
                });
    }

    /** Pulses of a gliding pitch and hissing noise through the resonances of three vowels. */
    private static Signal speech() {
        Random random = new Random(2);
        int n = 1536;
        double[] voice = new double[n];
        double phase = 0;
        for (int i = 0; i < n; i++) {
            phase += (110 + 30 * Math.sin(i / 300.0)) / 8000;
            boolean hisses = i % 512 < 90;
            if (phase >= 1) {
                phase -= 1;
                voice[i] = hisses ? 0 : 1;
            }
            voice[i] += (hisses ? 0.12 : 0.004) * random.nextGaussian();
        }
        double[][] vowels = {{730, 1090, 2440}, {270, 2290, 3010}, {300, 870, 2240}};
        for (int formant = 0; formant < 3; formant++) {
            double before = 0;
            double earlier = 0;
            for (int i = 0; i < n; i++) {
                double angle = 2 * Math.PI * vowels[i / 512][formant] / 8000;
                double radius = Math.exp(-Math.PI * (60 + 40 * formant) / 8000);
                double now =
                        voice[i] * (1 - radius)
                                + 2 * radius * Math.cos(angle) * before
                                - radius * radius * earlier;
                earlier = before;
                before = now;
                voice[i] = now;
            }
        }
        double peak = Arrays.stream(voice).map(Math::abs).max().orElseThrow();
        return line(n, i -> 0.5 + 0.45 * voice[i] / peak);
    }

    /** An electrocardiogram: five bumps a beat (McSharry et al. 2003) on a wandering ground. */
    private static Signal heartbeat() {
        double[] places = {-0.2, -0.05, 0, 0.05, 0.3};
        double[] heights = {0.12, -0.1, 1, -0.2, 0.25};
        double[] widths = {0.04, 0.012, 0.014, 0.012, 0.06};
        return line(
                800,
                i -> {
                    double t = i / 800.0 * 7.3;
                    double beat = t - Math.floor(t) - 0.4;
                    double sum = 0.05 * Math.sin(1.7 * t);
                    for (int k = 0; k < places.length; k++) {
                        double u = (beat - places[k]) / widths[k];
                        sum += heights[k] * Math.exp(-u * u / 2);
                    }
                    return 0.3 + 0.6 * sum;
                });
    }

    /** Two stations, hour by hour: seasons, days and weather. */
    private static Signal temperature() {
        Random random = new Random(21);
        int n = 720;
        float[] values = new float[2 * n];
        double weather = 0;
        double here = 0;
        for (int i = 0; i < n; i++) {
            weather = 0.98 * weather + 0.03 * random.nextGaussian();
            here = 0.9 * here + 0.02 * random.nextGaussian();
            double day = 0.1 * Math.sin(2 * Math.PI * i / 24);
            values[2 * i] = (float) (0.5 + day + weather + 0.0001 * i);
            values[2 * i + 1] = (float) (0.4 + 0.7 * day + weather + here);
        }
        return new Signal(new int[] {n}, 2, values);
    }

    /** Random phases under a power that falls as f^−slope, in one or two dimensions. */
    private static double[] spectral(int n, int axes, double slope, int seed) {
        Random random = new Random(seed);
        int rows = axes == 2 ? n : 1;
        double[][] cosine = new double[2][2 * n];
        for (int k = 0; k < 2 * n; k++) {
            cosine[0][k] = Math.cos(Math.PI * k / n * 2);
            cosine[1][k] = Math.sin(Math.PI * k / n * 2);
        }
        double[] values = new double[rows * n];
        double squares = 0;
        int highest = n / 2 - 1;
        for (int a = axes == 2 ? -highest : 0; a <= (axes == 2 ? highest : 0); a++) {
            for (int b = 0; b <= highest; b++) {
                if (b == 0 && a <= 0) {
                    continue;
                }
                double amplitude = Math.pow(Math.hypot(a, b), -slope / 2);
                squares += amplitude * amplitude / 2;
                int turn = random.nextInt(n);
                for (int y = 0; y < rows; y++) {
                    for (int x = 0; x < n; x++) {
                        int phase = Math.floorMod(a * y + b * x + turn, n);
                        values[y * n + x] += amplitude * cosine[0][phase];
                    }
                }
            }
        }
        double scale = 0.17 / Math.sqrt(squares);
        Arrays.setAll(values, i -> 0.5 + scale * values[i]);
        return values;
    }

    /** A leaning wall with sharp joints, 96 × 160. */
    private static Signal bricks() {
        Random random = new Random(3);
        double[] shades = random.doubles(4096, 0.35, 0.7).toArray();
        int rows = 96;
        int columns = 160;
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            double y = i / columns + 0.07 * (i % columns);
            double x = i % columns - 0.05 * (i / columns);
            int course = (int) Math.floor(y / 11.3);
            double along = x / 23.7 + (course % 2 == 0 ? 0 : 0.5) + 4;
            boolean joint = y - course * 11.3 < 2 || (along - Math.floor(along)) * 23.7 < 2;
            double shade = shades[course * 64 + (int) along];
            values[i] = (float) (joint ? 0.85 : shade);
        }
        return new Signal(new int[] {rows, columns}, 1, values);
    }

    /** Soft lumps with clear edges in a volume of unlike sides, as of a scanner, with noise. */
    private static Signal tissue() {
        Random random = new Random(13);
        int[] sides = {24, 48, 40};
        double[][] lumps = new double[30][];
        for (int l = 0; l < lumps.length; l++) {
            lumps[l] = random.doubles(5).toArray(); // place, radius, brightness
        }
        float[] values = new float[24 * 48 * 40];
        for (int i = 0; i < values.length; i++) {
            double z = i / (48 * 40) / 24.0;
            double y = i / 40 % 48 / 48.0;
            double x = i % 40 / 40.0;
            double sum = 0.2 + 0.01 * random.nextGaussian();
            for (double[] lump : lumps) {
                double r =
                        Math.sqrt(
                                Math.pow(z - lump[0], 2)
                                        + Math.pow(y - lump[1], 2)
                                        + Math.pow(x - lump[2], 2));
                double edge = (0.08 + 0.12 * lump[3] - r) * 70;
                sum += (lump[4] - 0.4) * 0.6 / (1 + Math.exp(-edge));
            }
            values[i] = (float) sum;
        }
        return new Signal(sides, 1, values);
    }
}
