package org.posenc.experiment.fitting;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.posenc.report.Axis;
import org.posenc.report.LineChart;
import org.posenc.report.Series;
import org.posenc.signal.Signal;
import org.posenc.signal.WaveFormat;

/**
 * A signal along one axis as charts, one channel of it.
 *
 * @param truth the signal
 * @param shown its reconstructions by name
 * @param channel which channel
 * @param heading what the channel is called; empty where there is only one
 * @param sampleRate samples a second, or 0 where the signal is no sound
 */
record SoundFigures(
        Signal truth, Map<String, Signal> shown, int channel, String heading, int sampleRate) {

    private static final String ORIGINAL = "original";

    /** Parts of the overview, of which each is drawn as its range. */
    private static final int PARTS = 400;

    /** Samples of a close-up. */
    private static final int CLOSE = 96;

    /** Makes the figures of a format's signal. */
    static SoundFigures of(
            Signal truth, Map<String, Signal> shown, int channel, String heading, Object format) {
        int rate = format instanceof WaveFormat wave ? wave.sampleRate() : 0;
        return new SoundFigures(truth, shown, channel, heading, rate);
    }

    /** The whole signal and the reconstructions over it. */
    LineChart overview() {
        List<Series> lines = new ArrayList<>();
        lines.add(envelope(ORIGINAL, values(truth)));
        shown.forEach((name, signal) -> lines.add(envelope(name, values(signal))));
        return new LineChart(titled("The whole signal"), time(), amplitude(), lines);
    }

    /** A few samples where the signal changes most. */
    LineChart closeUp() {
        float[] values = values(truth);
        int length = Math.min(CLOSE, values.length);
        int from = liveliest(values, length);
        List<Series> lines = new ArrayList<>();
        lines.add(part(ORIGINAL, values, from, length));
        shown.forEach((name, signal) -> lines.add(part(name, values(signal), from, length)));
        return new LineChart(
                titled("A close-up where it changes most"), time(), amplitude(), lines);
    }

    /** How strong each frequency is, in the signal and in what the reconstructions miss of it. */
    LineChart spectrum() {
        List<Series> lines = new ArrayList<>();
        lines.add(spectrum(ORIGINAL, values(truth)));
        shown.forEach(
                (name, signal) -> {
                    float[] own = values(signal);
                    float[] error = values(truth);
                    for (int i = 0; i < error.length; i++) {
                        error[i] -= own[i];
                    }
                    lines.add(spectrum(name, own));
                    lines.add(spectrum("error of " + name, error));
                });
        Axis frequency =
                Axis.linear(sampleRate > 0 ? "frequency (kHz)" : "frequency (cycles a sample)");
        return new LineChart(
                titled("Spectrum"), frequency, Axis.linear("power (dB of full scale)"), lines);
    }

    private String titled(String title) {
        return heading.isEmpty() ? title : title + ": " + heading;
    }

    private Axis time() {
        return Axis.linear(sampleRate > 0 ? "time (s)" : "sample");
    }

    private Axis amplitude() {
        return Axis.linear(sampleRate > 0 ? "amplitude" : "part of the range");
    }

    /** The channel; of a sound from −1 to 1. */
    private float[] values(Signal signal) {
        float[] values = signal.channel(channel).values();
        if (sampleRate > 0) {
            for (int i = 0; i < values.length; i++) {
                values[i] = 2 * values[i] - 1;
            }
        }
        return values;
    }

    private double time(double sample) {
        return sampleRate > 0 ? sample / sampleRate : sample;
    }

    private Series envelope(String name, float[] values) {
        int parts = Math.min(PARTS, values.length);
        List<Double> x = new ArrayList<>();
        List<Double> middle = new ArrayList<>();
        List<Double> half = new ArrayList<>();
        for (int p = 0; p < parts; p++) {
            int from = (int) ((long) p * values.length / parts);
            int to = (int) ((long) (p + 1) * values.length / parts);
            double low = values[from];
            double high = values[from];
            for (int i = from; i < to; i++) {
                low = Math.min(low, values[i]);
                high = Math.max(high, values[i]);
            }
            x.add(time(from));
            middle.add((low + high) / 2);
            half.add((high - low) / 2);
        }
        return new Series(name, x, middle, half);
    }

    private Series part(String name, float[] values, int from, int length) {
        double[] x = new double[length];
        double[] y = new double[length];
        for (int i = 0; i < length; i++) {
            x[i] = time(from + i);
            y[i] = values[from + i];
        }
        return Series.of(name, x, y);
    }

    private static int liveliest(float[] values, int length) {
        double change = 0;
        double most = -1;
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            change += Math.abs(values[i] - values[i - 1]);
            if (i >= length) {
                change -= Math.abs(values[i - length + 1] - values[i - length]);
            }
            if (i >= length - 1 && change > most + 1e-9) {
                most = change;
                best = i - length + 1;
            }
        }
        return best;
    }

    private Series spectrum(String name, float[] values) {
        PowerSpectrum spectrum = PowerSpectrum.of(values);
        double[] frequencies = spectrum.frequencies();
        for (int k = 0; sampleRate > 0 && k < frequencies.length; k++) {
            frequencies[k] *= sampleRate / 1000.0;
        }
        return Series.of(name, frequencies, spectrum.decibels());
    }
}
