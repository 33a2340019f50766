package org.posenc.cli;

import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The program: {@code posenc COMMAND}. */
@Command(
        name = "posenc",
        description = "Positional encodings for Deep Java Library: compared, computed, analysed.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            CompareCommand.class,
            ExtrapolateCommand.class,
            FitCommand.class,
            FinetuneCommand.class,
            DecodeCommand.class,
            ReproduceCommand.class,
            AnalyzeCommand.class,
            EncodeCommand.class,
            EncodingsCommand.class,
            RopeCommand.class,
            InspectCommand.class,
            ForwardCommand.class,
            PerplexityCommand.class,
            GenerateCommand.class,
            TokenizerCommand.class,
            HelpCommand.class
        },
        exitCodeListHeading = "Exit codes:%n",
        exitCodeList = {
            "0:done",
            "1:an error in posenc itself",
            "2:bad input, said in one sentence",
            "130:interrupted"
        })
public final class Posenc implements Runnable {

    /** Read by DJL and its log when their classes load, so set before any of them does. */
    private static final Map<String, String> QUIET_AND_OFFLINE =
            Map.of(
                    "OPT_OUT_TRACKING", "true",
                    "ai.djl.offline", "true",
                    "org.slf4j.simpleLogger.defaultLogLevel", "warn",
                    "org.slf4j.simpleLogger.log.ai.djl.util.cuda.CudaUtils", "error");

    @Spec private CommandSpec spec;

    /** The program before its command is known. */
    public Posenc() {}

    /**
     * Runs the program and ends the JVM.
     *
     * @param args the command and its options
     */
    public static void main(String[] args) {
        QUIET_AND_OFFLINE.forEach(
                (key, value) -> {
                    if (System.getProperty(key) == null) {
                        System.setProperty(key, value);
                    }
                });
        CommandLine program = commandLine();
        program.setOut(new PrintWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8)));
        program.setErr(new PrintWriter(new OutputStreamWriter(System.err, StandardCharsets.UTF_8)));
        int code = program.execute(args);
        program.getOut().flush();
        program.getErr().flush();
        System.exit(code);
    }

    /**
     * Returns the program with its exit codes and messages, for {@link #main} and for tests.
     *
     * @return the program
     */
    static CommandLine commandLine() {
        return new CommandLine(new Posenc())
                .setUsageHelpWidth(100)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler(Failures::ofParameters)
                .setExecutionExceptionHandler(Failures::ofExecution);
    }

    /** Asks for a command where none was given. */
    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "a command is missing; there are "
                        + String.join(", ", spec.subcommands().keySet())
                        + " (posenc COMMAND --help says more)");
    }
}
