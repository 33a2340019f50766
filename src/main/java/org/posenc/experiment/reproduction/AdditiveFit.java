package org.posenc.experiment.reproduction;

import java.util.Arrays;
import org.posenc.signal.Signal;

/**
 * The closest sum f_0(x_0) + … + f_{M−1}(x_{M−1}) to a signal, and so the best that one linear map
 * of features of single coordinates can do: the mean of each line across an axis, less M − 1 times
 * the mean of all.
 */
final class AdditiveFit {

    private AdditiveFit() {}

    /**
     * Returns its PSNR.
     *
     * @param signal all samples that train
     * @return in dB
     */
    static double psnr(Signal signal) {
        int[] sides = signal.sides();
        double sum = 0;
        for (int channel = 0; channel < signal.channels(); channel++) {
            float[] values = signal.channel(channel).values();
            double[][] means = new double[sides.length][];
            Arrays.setAll(means, m -> new double[sides[m]]);
            double mean = 0;
            for (int i = 0; i < values.length; i++) {
                int[] place = place(sides, i);
                mean += values[i] / values.length;
                for (int m = 0; m < sides.length; m++) {
                    means[m][place[m]] += values[i] * sides[m] / (double) values.length;
                }
            }
            for (int i = 0; i < values.length; i++) {
                int[] place = place(sides, i);
                double fit = -(sides.length - 1) * mean;
                for (int m = 0; m < sides.length; m++) {
                    fit += means[m][place[m]];
                }
                sum += (values[i] - fit) * (values[i] - fit);
            }
        }
        return -10 * Math.log10(sum / signal.values().length);
    }

    private static int[] place(int[] sides, int sample) {
        int[] place = new int[sides.length];
        int rest = sample;
        for (int m = sides.length - 1; m >= 0; m--) {
            place[m] = rest % sides[m];
            rest /= sides[m];
        }
        return place;
    }
}
