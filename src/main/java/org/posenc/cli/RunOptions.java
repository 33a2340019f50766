package org.posenc.cli;

import ai.djl.Device;
import ai.djl.engine.Engine;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Map;
import org.posenc.report.Provenance;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * What all commands share that run experiments: a seed, a device, and what a result says of both.
 */
final class RunOptions {

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Decides whatever is drawn; the first, where several (default: 1).")
    private long seed;

    @Mixin private DeviceOption device;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    long seed() {
        return seed;
    }

    /**
     * Returns the device asked for.
     *
     * @throws IllegalArgumentException if it is not there
     */
    Device device() {
        return device.device();
    }

    /** Says what a run's results come from. */
    Provenance provenance(Map<String, String> settings, Device on) {
        return Provenance.now(
                "posenc " + String.join(" ", command.commandLine().getParseResult().originalArgs()),
                seed,
                settings,
                Map.of(
                        "posenc",
                        Version.text(),
                        "PyTorch",
                        Engine.getEngine("PyTorch").getVersion()),
                on.isGpu() ? "gpu:" + on.getDeviceId() : on.getDeviceType());
    }

    /** Prints the tables of a run that ended, and where its page is. */
    void print(String tables, Path page) {
        PrintWriter print = command.commandLine().getOut();
        print.println(tables);
        print.println("page: " + page);
        print.flush();
    }
}
