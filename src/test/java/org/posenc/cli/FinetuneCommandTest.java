package org.posenc.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FinetuneCommandTest {

    @TempDir private Path folder;

    private Path out() {
        return folder.resolve("new/out");
    }

    private Console finetune(String... options) {
        List<String> all = new ArrayList<>(List.of("finetune", "--model", "models/rope-64"));
        all.addAll(List.of("--steps", "2", "--batch", "1", "--windows", "2", "--passkeys", "1"));
        all.addAll(List.of(options));
        if (!all.contains("--out")) {
            all.addAll(List.of("--out", out().toString()));
        }
        if (!all.contains("--text") && !all.contains("--data")) {
            all.addAll(List.of("--text", "README.md", "models"));
        }
        return Console.run(all.toArray(String[]::new));
    }

    @Test
    void tunesWritesAFolderAndSaysWhatCameOfIt() throws IOException {
        Console console =
                finetune(
                        "--rope=yarn",
                        "--factor=2",
                        "--rope-option=beta-fast=4",
                        "--targets=q_proj,down_proj",
                        "--rank=2");
        assertThat(console.code()).as(console.err()).isZero();
        assertThat(console.out())
                .contains("perplexity at 128", "as it came", "after step 2", "page: ", "model: ");
        assertThat(console.out().lines()).allMatch(line -> line.length() <= 120);
        assertThat(Files.readString(out().resolve("config.json")))
                .contains("\"max_position_embeddings\": 128", "\"yarn\"", "\"factor\": 2.0");
        assertThat(Files.readString(out().resolve("tokenizer_config.json")))
                .contains("\"model_max_length\": 128");
        assertThat(out().resolve("adapter/adapter_config.json")).exists();
        assertThat(out().resolve("passkey.json"))
                .hasSameBinaryContentAs(Path.of("models/rope-64/passkey.json"));
        assertThat(Files.readString(out().resolve("training/index.html"))).contains("--factor=2");
        // The same command again has nothing to do.
        Console again =
                finetune(
                        "--rope=yarn",
                        "--factor=2",
                        "--rope-option=beta-fast=4",
                        "--targets=q_proj,down_proj",
                        "--rank=2");
        assertThat(again.out()).isEqualTo(console.out());
    }

    @Test
    void jsonLinesAreTextsOrIdsWithLabels() throws IOException {
        Path lines = folder.resolve("lines.jsonl");
        StringBuilder content = new StringBuilder();
        for (int i = 0; i < 40; i++) {
            content.append("{\"body\":\"A text of so many words, number ").append(i);
            content.append(", as long as it takes.\"}\n");
            content.append("{\"body\":[65,66,67,68,69],\"labels\":[-100,-100,67,68,69]}\n");
            content.append("[70,71,72,73,74]\n");
        }
        Files.writeString(lines, content);
        Console console =
                finetune(
                        "--data",
                        lines.toString(),
                        "--key=body",
                        "--method=full",
                        "--freeze=tokens");
        assertThat(console.code()).as(console.err()).isZero();
        assertThat(out().resolve("adapter")).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource({
        "'{\"text\":3}', line 1 of, must be a text or an array of ids",
        "'{\"body\":\"x\"}', line 1 of, 'an object with \"text\", got [body]'",
        "'[1,2', line 1 of, it is not JSON",
        "'[1,2.5]', line 1 of, whole numbers",
        "'[1,-2]', line 1 of, at least 0",
        "'[1,256]', the model's vocabulary, 'of 256, got 256'",
        "'{\"text\":[1,2],\"labels\":[1]}', line 1 of, got 2 and 1",
        "'{\"text\":\"\"}', line 1 of, is empty",
        "'', lines.jsonl, holds no document",
    })
    void aMalformedLineIsNamed(String line, String place, String sentence) throws IOException {
        Path lines = folder.resolve("lines.jsonl");
        Files.writeString(lines, line + "\n");
        Console console = finetune("--data", lines.toString());
        console.assertBadInput();
        assertThat(console.err()).contains(place, sentence);
        assertThat(folder.resolve("new")).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource({
        "'--text no-such-file', there is no no-such-file",
        "'--data no-such-file.jsonl', there is no no-such-file.jsonl",
        "'--data README.md', '--data takes .jsonl and .npy'",
        "'--validation no-such-file.jsonl', there is no no-such-file.jsonl",
        "'--method full --rank 3', belong to --method lora",
        "'--freeze tokens', belongs to --method full",
        "'--method full --freeze [', must be a regular expression",
        "'--method full --freeze nothing', no parameter's name has",
        "'--method full --adapter-only', --adapter-only is for --method lora",
        "'--targets qkv_proj', 'the modules of models/rope-64 are q_proj'",
        "'--targets w_proj', 'LoRA knows no target module \"w_proj\"'",
        "'--rank 0', rank must be at least 1",
        "'--warmup 2', the warm-up must be from 0 to 1 steps",
        "'--accumulation 0', batches of a step must be at least 1",
        "'--learning-rate 0', must be positive",
        "'--betas 0.9', takes two numbers",
        "'--betas 0.9,1', 'beta'",
        "'--clip 0', must be positive",
        "'--weight-decay -1', at least 0",
        "'--held-out 0.7', at most 0.5",
        "'--rope yarn', needs --factor or --length",
        "'--rope yarm --factor 2', yarn",
        "'--length 4', at least 8 tokens",
        "'--device tpu', --device must be",
        "'--out models/rope-64', choose another",
        "'--out LICENSE/out', cannot write",
    })
    void badInputIsOneSentenceAndLeavesNothing(String options, String sentence) {
        Console console = finetune(options.split(" "));
        console.assertBadInput();
        assertThat(console.err()).contains(sentence);
        assertThat(folder.resolve("new")).doesNotExist();
    }

    @Test
    void aFileThatVanishedIsSaidWhenTheTrainingGoesOn() throws IOException {
        Path text = folder.resolve("text.md");
        Files.copy(Path.of("README.md"), text);
        assertThat(finetune("--text", text.toString()).code()).isZero();
        Files.delete(text);
        Console console = finetune("--text", text.toString());
        console.assertBadInput();
        assertThat(console.err()).contains("there is no " + text);
    }
}
