package org.posenc.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;
import org.posenc.attention.Lora;
import org.posenc.model.Transformer;

/**
 * Adapters that go between this library and Hugging Face's peft, test-data/scripts/lora.py, where
 * the environment variable POSENC_PYTHON names a Python that has it.
 */
@EnabledIfEnvironmentVariable(named = "POSENC_PYTHON", matches = ".+")
class PeftTest {

    @TempDir private Path directory;

    @Test
    void itsCodeAndOursComputeTheSameLogitsOfTheSameAdapters() throws Exception {
        python("write");
        try (NDManager manager = NDManager.newBaseManager()) {
            List<Path> cases;
            try (Stream<Path> folders = Files.list(directory)) {
                cases = folders.filter(f -> !f.endsWith("bases")).sorted().toList();
            }
            assertThat(cases).hasSizeGreaterThan(8);
            for (Path folder : cases) {
                ModelFolder base =
                        ModelFolder.open(directory.resolve("bases").resolve(folder.getFileName()));
                Safetensors expected = Safetensors.open(folder.resolve("expected.safetensors"));
                NDArray ids = expected.read("ids", manager);
                Transformer model = base.load(manager, DataType.FLOAT32);
                AdapterFolder.open(folder.resolve("peft"), base).attach(model);
                NDArray ours = logits(model, ids, manager);
                NDArray distance = ours.sub(expected.read("logits", manager)).abs().max();
                assertThat(distance.getFloat()).as(folder.toString()).isLessThan(2e-4f);
                model.detach();
                model.adapt(new Lora(3, 5, 0, true, AdapterFolder.linearModules(base), 1));
                ours(folder.resolve("ours"), model, base, ids);
                model.detach();
                if (!base.config().tiedOutput()) {
                    model.adapt(Lora.of(2, 3, "lm_head"));
                    ours(folder.resolve("output"), model, base, ids);
                }
            }
        }
        System.out.println(python("check"));
    }

    /** Writes a model's pairs, B not 0, and puts its logits beside them. */
    private static void ours(Path folder, Transformer model, ModelFolder base, NDArray ids) {
        NDManager manager = ids.getManager();
        int seed = 1;
        for (Parameter parameter : model.named().values()) {
            if (parameter.getName().equals("loraB")) {
                NDArray noise = manager.arange(parameter.getArray().size()).add(100 * seed++).sin();
                parameter
                        .getArray()
                        .stopGradient()
                        .addi(noise.mul(0.1).reshape(parameter.getShape()));
            }
        }
        AdapterFolder.write(folder, model, base);
        Safetensors.write(
                folder.resolve("ours.safetensors"),
                Map.of("ids", ids, "logits", logits(model, ids, manager)),
                Map.of());
    }

    private static NDArray logits(Transformer model, NDArray ids, NDManager manager) {
        return model.forward(new ParameterStore(manager, false), new NDList(ids), false).head();
    }

    private String python(String command) throws IOException, InterruptedException {
        Process process =
                new ProcessBuilder(
                                System.getenv("POSENC_PYTHON"),
                                "test-data/scripts/lora.py",
                                command,
                                directory.toString())
                        .redirectErrorStream(true)
                        .start();
        String printed = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as(printed).isZero();
        return printed;
    }
}
