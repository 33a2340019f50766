package org.posenc.cli;

import java.io.PrintWriter;
import java.util.List;
import org.posenc.encoding.Encodings;
import org.posenc.encoding.NamedEncoding;
import org.posenc.encoding.Settings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code posenc encodings}: what there is, with its settings. */
@Command(
        name = "encodings",
        description = "Lists the encodings with their settings, for --encoding and --set.",
        mixinStandardHelpOptions = true)
final class EncodingsCommand implements Runnable {

    @Parameters(
            arity = "0..*",
            paramLabel = "NAME",
            description = "Only these encodings (default: all).")
    private List<String> names = List.of();

    @Spec private CommandSpec spec;

    /** Prints the list. */
    @Override
    public void run() {
        List<NamedEncoding> chosen =
                (names.isEmpty() ? Encodings.names() : names)
                        .stream().map(Encodings::named).toList();
        PrintWriter out = spec.commandLine().getOut();
        int width = chosen.stream().mapToInt(e -> e.name().length()).max().orElse(0);
        for (NamedEncoding encoding : chosen) {
            out.println(padded(encoding.name(), width) + "  " + encoding.summary());
            int keyWidth =
                    encoding.keys().stream().mapToInt(key -> written(key).length()).max().orElse(0);
            for (Settings.Key key : encoding.keys()) {
                out.println(
                        " ".repeat(width + 4)
                                + padded(written(key), keyWidth)
                                + "  "
                                + key.meaning());
            }
        }
        out.flush();
    }

    private static String written(Settings.Key key) {
        return key.key() + "=" + key.standard();
    }

    private static String padded(String text, int width) {
        return text + " ".repeat(width - text.length());
    }
}
