package org.posenc.cli;

import ai.djl.ndarray.NDManager;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.posenc.signal.FittedSignal;
import org.posenc.signal.Grid;
import org.posenc.signal.ImageFormat;
import org.posenc.signal.SignalCode;
import org.posenc.signal.SignalFormat;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code posenc decode}: a fitted signal, at any resolution. */
@Command(
        name = "decode",
        description = {
            "Computes a signal again from the .posenc file that posenc fit wrote, at its own"
                    + " resolution or another, whole or in part, in the format of the file it came"
                    + " from.",
            "Sizes are WIDTHxHEIGHT for images; for other signals they are in the order of the"
                    + " array's axes, such as 48000 or 64x128x128."
        },
        mixinStandardHelpOptions = true)
final class DecodeCommand implements Runnable {

    private static final Pattern SIZE = Pattern.compile("[1-9]\\d{0,8}(x[1-9]\\d{0,8})*");
    private static final Pattern PLACE = Pattern.compile("([^+]+)((?:\\+\\d{1,9})+)");

    @Parameters(paramLabel = "FILE", description = "A .posenc file.")
    private Path file;

    @Option(
            names = "--size",
            paramLabel = "WxH",
            description =
                    "How many samples to compute along each axis (default: the signal's own).")
    private String size;

    @Option(
            names = "--upscale",
            paramLabel = "FACTOR",
            description =
                    "Samples for each of the signal's own, along each axis, such as 4 or 0.5.")
    private Double upscale;

    @Option(
            names = "--region",
            paramLabel = "WxH+X+Y",
            description =
                    "Only this part: its size and where it begins, in samples of the signal"
                            + " (default: all).")
    private String region;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            description =
                    "What to write (default: FILE with .decoded and the format's ending, such as"
                            + " photo.decoded.png).")
    private Path out;

    @Mixin private DeviceOption device;

    @Spec private CommandSpec spec;

    /** Decodes and writes. */
    @Override
    public void run() {
        if (size != null && upscale != null) {
            throw new IllegalArgumentException("--size and --upscale cannot both be given");
        }
        SignalCode code = SignalCode.read(file);
        Path target = target(code.format());
        int[] whole = code.sides();
        int[] begin = new int[whole.length];
        int[] extent = whole.clone();
        if (region != null) {
            readRegion(code, begin, extent);
        }
        int[] sides = sides(code, extent);
        Grid grid = region == null ? Grid.of(sides) : Grid.part(whole, begin, extent, sides);
        SignalFormat format = code.format().resampled((double) sides[0] / extent[0]);
        try (NDManager manager = NDManager.newBaseManager(device.device(), "PyTorch")) {
            FittedSignal fitted = code.fitted(manager);
            format.write(fitted.sample(grid, manager), target);
        }
        PrintWriter standard = spec.commandLine().getOut();
        standard.println(target + ": " + inWords(sides, code) + ", " + format.description());
        standard.flush();
    }

    /** The file that is written, which must be of the signal's format. */
    private Path target(SignalFormat format) {
        String ending = format.extension();
        if (out != null) {
            String name = out.toString().toLowerCase(Locale.ROOT);
            if (!name.endsWith("." + ending) && !(ending.equals("jpg") && name.endsWith(".jpeg"))) {
                throw new IllegalArgumentException(
                        "--out must end in ."
                                + ending
                                + ", because the signal's format is "
                                + format.description()
                                + ", got \""
                                + out
                                + "\"");
            }
            return out;
        }
        String name = file.getFileName().toString();
        String end = "." + SignalCode.EXTENSION;
        String stem = name.endsWith(end) ? name.substring(0, name.length() - end.length()) : name;
        return file.resolveSibling(stem + ".decoded." + ending);
    }

    private int[] sides(SignalCode code, int[] extent) {
        if (size != null) {
            return readSize(size, "--size", code);
        }
        double factor = upscale == null ? 1 : upscale;
        if (!(factor > 0 && factor <= 1e6)) {
            throw new IllegalArgumentException(
                    "--upscale must be above 0 and at most 1000000, got " + upscale);
        }
        int[] sides = new int[extent.length];
        for (int m = 0; m < sides.length; m++) {
            sides[m] =
                    (int) Math.min(Integer.MAX_VALUE, Math.max(1, Math.round(extent[m] * factor)));
        }
        return sides;
    }

    private void readRegion(SignalCode code, int[] begin, int[] extent) {
        Matcher place = PLACE.matcher(region);
        if (!place.matches()) {
            throw wrong("--region", region, code, true);
        }
        int[] wanted = readSize(place.group(1), "--region", code);
        String[] offsets = place.group(2).substring(1).split("\\+");
        if (offsets.length != begin.length) {
            throw wrong("--region", region, code, true);
        }
        int[] from = Arrays.stream(offsets).mapToInt(Integer::parseInt).toArray();
        System.arraycopy(inAxisOrder(from, code), 0, begin, 0, begin.length);
        System.arraycopy(wanted, 0, extent, 0, extent.length);
        for (int m = 0; m < extent.length; m++) {
            if ((long) begin[m] + extent[m] > code.sides()[m]) {
                throw new IllegalArgumentException(
                        "--region must lie within the "
                                + inWords(code.sides(), code)
                                + " samples of the signal, got \""
                                + region
                                + "\"");
            }
        }
    }

    private int[] readSize(String text, String option, SignalCode code) {
        int[] sides =
                SIZE.matcher(text).matches()
                        ? Arrays.stream(text.split("x")).mapToInt(Integer::parseInt).toArray()
                        : new int[0];
        if (sides.length != code.sides().length) {
            throw wrong(
                    option,
                    option.equals("--size") ? size : region,
                    code,
                    option.equals("--region"));
        }
        return inAxisOrder(sides, code);
    }

    private static IllegalArgumentException wrong(
            String option, String got, SignalCode code, boolean place) {
        int[] sides = code.sides();
        List<String> own = new ArrayList<>();
        Arrays.stream(inAxisOrder(sides, code)).forEach(n -> own.add(Integer.toString(n)));
        String example = String.join("x", own) + (place ? "+0".repeat(sides.length) : "");
        return new IllegalArgumentException(
                option + " must be as in " + example + ", got \"" + got + "\"");
    }

    /** Images are given as width and height, and are arrays of rows. */
    private static int[] inAxisOrder(int[] given, SignalCode code) {
        if (!(code.format() instanceof ImageFormat)) {
            return given;
        }
        return new int[] {given[1], given[0]};
    }

    private static String inWords(int[] sides, SignalCode code) {
        return String.join(
                " × ",
                Arrays.stream(inAxisOrder(sides, code)).mapToObj(Integer::toString).toList());
    }
}
