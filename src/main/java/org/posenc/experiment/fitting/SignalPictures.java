package org.posenc.experiment.fitting;

import java.awt.image.BufferedImage;
import java.util.Arrays;
import org.posenc.report.ColourMap;
import org.posenc.signal.ImageFormat;
import org.posenc.signal.Sampling;
import org.posenc.signal.Signal;

/** Signals as pictures for a page. */
final class SignalPictures {

    /** Pictures on a page are no longer than this along a side. */
    private static final int LONGEST = 640;

    private SignalPictures() {}

    /** Returns an image as a picture; of channels that are no colours the first is shown. */
    static BufferedImage image(Signal image) {
        Signal shown = image.channels() > 4 ? image.channel(0) : image;
        int channels = shown.channels();
        return new ImageFormat(
                        ImageFormat.Container.PNG, 8, channels > 2, channels == 2 || channels == 4)
                .image(shown);
    }

    /** Returns an image that is not too large for a page, by averaging over areas. */
    static Signal reduced(Signal image) {
        int factor = (image.longest() + LONGEST - 1) / LONGEST;
        if (factor == 1) {
            return image;
        }
        int channels = image.channels();
        int[] sides = image.sides();
        int[] fewer = {Math.max(1, sides[0] / factor), Math.max(1, sides[1] / factor)};
        float[] values = new float[fewer[0] * fewer[1] * channels];
        int down = Math.min(factor, sides[0]);
        int across = Math.min(factor, sides[1]);
        for (int n = 0; n < values.length; n++) {
            int i = n / channels / fewer[1] * down;
            int j = n / channels % fewer[1] * across;
            double sum = 0;
            for (int y = i; y < i + down; y++) {
                for (int x = j; x < j + across; x++) {
                    sum += image.values()[(y * sides[1] + x) * channels + n % channels];
                }
            }
            values[n] = (float) (sum / (down * across));
        }
        return new Signal(fewer, channels, values);
    }

    /** Returns the absolute errors, averaged over the channels: (N_0, …, 1). */
    static Signal error(Signal shown, Signal truth) {
        int channels = truth.channels();
        float[] errors = new float[truth.samples()];
        for (int i = 0; i < errors.length; i++) {
            double sum = 0;
            for (int c = i * channels; c < (i + 1) * channels; c++) {
                sum += Math.abs(shown.values()[c] - truth.values()[c]);
            }
            errors[i] = (float) (sum / channels);
        }
        return new Signal(truth.sides(), 1, errors);
    }

    /** Returns the error that only one sample in two hundred exceeds. */
    static double largeError(Signal error) {
        float[] sorted = error.values().clone();
        Arrays.sort(sorted);
        return sorted[(int) (0.995 * (sorted.length - 1))];
    }

    /** Returns numbers in colours, from 0 (dark) to the greatest (yellow). */
    static BufferedImage heat(Signal numbers, double greatest) {
        int[] sides = numbers.sides();
        BufferedImage image = new BufferedImage(sides[1], sides[0], BufferedImage.TYPE_INT_RGB);
        for (int n = 0; n < numbers.samples(); n++) {
            double share = greatest > 0 ? numbers.values()[n] / greatest : 0;
            image.setRGB(n % sides[1], n / sides[1], ColourMap.VIRIDIS.rgb(share));
        }
        return image;
    }

    /**
     * Returns what the network saw of a signal: the smaller one of a regular sampling, or all with
     * 0 (black) where it was not seen.
     */
    static Signal sampled(Signal image, Sampling sampling) {
        int[] sides = image.sides();
        int channels = image.channels();
        boolean[] trains = sampling.trains(sides);
        if (sampling instanceof Sampling.Every every) {
            int[] fewer = Arrays.stream(sides).map(side -> every.indices(side).length).toArray();
            float[] values = new float[Arrays.stream(fewer).reduce(channels, Math::multiplyExact)];
            int at = 0;
            for (int i = 0; i < trains.length; i++) {
                if (trains[i]) {
                    System.arraycopy(image.values(), i * channels, values, at, channels);
                    at += channels;
                }
            }
            return new Signal(fewer, channels, values);
        }
        float[] values = image.values().clone();
        for (int i = 0; i < values.length; i++) {
            values[i] = trains[i / channels] ? values[i] : 0;
        }
        return new Signal(sides, channels, values);
    }

    /** Returns an image of a volume: a slice of the first axis, of others before the last two. */
    static Signal slice(Signal volume, int place) {
        int[] sides = volume.sides();
        int axes = sides.length;
        int[] from = new int[axes];
        int[] extent = new int[axes];
        Arrays.fill(extent, 1);
        for (int m = 0; m < axes - 2; m++) {
            from[m] = m == 0 ? place : sides[m] / 2;
        }
        extent[axes - 2] = sides[axes - 2];
        extent[axes - 1] = sides[axes - 1];
        Signal slice = volume.part(from, extent);
        return new Signal(
                new int[] {sides[axes - 2], sides[axes - 1]}, slice.channels(), slice.values());
    }
}
