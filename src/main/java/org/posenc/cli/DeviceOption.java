package org.posenc.cli;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.engine.StandardCapabilities;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** {@code --device}: where the tensors live. */
final class DeviceOption {

    private static final Pattern GPU = Pattern.compile("gpu(?::(\\d{1,4}))?");

    @Option(
            names = "--device",
            paramLabel = "cpu|gpu|gpu:N",
            defaultValue = "cpu",
            description = "Where to compute: cpu, gpu (the first) or gpu:N (default: cpu).")
    private String name;

    /**
     * Returns the device asked for.
     *
     * @throws IllegalArgumentException if it is not there, or not a device's name
     */
    Device device() {
        if (name.equals("cpu")) {
            return Device.cpu();
        }
        Matcher gpu = GPU.matcher(name);
        if (!gpu.matches()) {
            throw new IllegalArgumentException(
                    "--device must be cpu, gpu or gpu:N, got \"" + name + "\"");
        }
        Engine engine = Engine.getEngine("PyTorch");
        if (!engine.hasCapability(StandardCapabilities.CUDA)) {
            throw new IllegalArgumentException(
                    "--device "
                            + name
                            + " needs a GPU and a PyTorch library built for CUDA, and this one is"
                            + " for the CPU only; the README says how to install the other");
        }
        int wanted = gpu.group(1) == null ? 0 : Integer.parseInt(gpu.group(1));
        int present = engine.getGpuCount();
        if (wanted >= present) {
            throw new IllegalArgumentException(
                    "--device "
                            + name
                            + " is not there: this machine has "
                            + (present == 1 ? "one GPU, gpu:0" : present + " GPUs"));
        }
        return Device.gpu(wanted);
    }
}
