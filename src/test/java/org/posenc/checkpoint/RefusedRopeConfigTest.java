package org.posenc.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Configurations that say something impossible, unknown or contradictory. */
class RefusedRopeConfigTest {

    @TempDir private Path folder;

    static Stream<Arguments> refused() throws IOException {
        try (InputStream in =
                        RefusedRopeConfigTest.class.getResourceAsStream("refused-configs.json");
                Reader reader = new InputStreamReader(in, StandardCharsets.UTF_8)) {
            return JsonParser.parseReader(reader).getAsJsonArray().asList().stream()
                    .map(JsonElement::getAsJsonObject)
                    .map(
                            row ->
                                    Arguments.of(
                                            Named.of(
                                                    row.get("case").getAsString(),
                                                    row.getAsJsonObject("config")),
                                            row.get("message").getAsString()));
        }
    }

    @ParameterizedTest
    @MethodSource("refused")
    void isRefusedInOneSentenceThatNamesKeyAndValue(JsonObject config, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RopeConfig.parse(config))
                .withMessageContaining(message)
                .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n", "null"));
    }

    @Test
    void thereAreEnoughOfThem() throws IOException {
        assertThat(refused()).hasSizeGreaterThan(60);
    }

    /** Python writes these into JSON. */
    @ParameterizedTest
    @ValueSource(strings = {"NaN", "Infinity", "-Infinity", "1e999"})
    void numbersMustBeFinite(String number) {
        JsonObject config =
                JsonParser.parseString(
                                """
                                {"model_type": "llama", "head_dim": 64, "rope_theta": 10000.0,
                                 "max_position_embeddings": 64,
                                 "rope_scaling": {"type": "linear", "factor": %s}}
                                """
                                        .formatted(number))
                        .getAsJsonObject();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RopeConfig.parse(config))
                .withMessageContaining("rope_scaling.factor must be a finite number");
    }

    @Test
    void aFileThatIsNotOneIsNamed() throws IOException {
        Path file = folder.resolve("config.json");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RopeConfig.read(Files.writeString(file, "{\"rope_theta\": ")))
                .withMessageContaining("config.json is not JSON");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RopeConfig.read(Files.writeString(file, "[]")))
                .withMessageContaining("must hold a JSON object");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RopeConfig.read(Files.write(file, new byte[] {(byte) 0xff, 0})))
                .withMessageContaining("config.json is not JSON");
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () ->
                                RopeConfig.read(
                                        Files.writeString(file, "{\"model_type\": \"bert\"}")))
                .withMessageContaining("config.json: there is no RoPE");
        org.assertj.core.api.Assertions.assertThatExceptionOfType(NoSuchFileException.class)
                .isThrownBy(() -> RopeConfig.read(folder.resolve("nowhere")));
    }
}
