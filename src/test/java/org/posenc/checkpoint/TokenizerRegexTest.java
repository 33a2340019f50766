package org.posenc.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.testing.FreshJvm;

/**
 * What Hugging Face's library, tokenizers 0.21 with Oniguruma, survives and what ends its process.
 */
class TokenizerRegexTest {

    private static final Path LLAMA = Path.of("test-data", "tokenizers", "llama3.json");

    @TempDir private Path folder;

    /**
     * Those of GPT-2, Llama 3, Qwen 2, GPT-4o, Mistral Nemo, DeepSeek, Falcon, BLOOM and others.
     */
    @ParameterizedTest
    @ValueSource(
            strings = {
                TokenizerRegex.BYTE_LEVEL,
                "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
                        + " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
                "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
                        + " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
                "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}"
                        + "\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}"
                        + "\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|"
                        + "'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|"
                        + "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
                "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?"
                        + "[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
                "[0-9][0-9][0-9]",
                " ?[^(\\s|[.,!?…。，、।۔،])]+",
                "(?=(\\d{3})+(?!\\d))",
                "[\\r\\n]",
                "\\s?\\p{L}+",
                " {2,}"
            })
    void whatKnownTokenizersHaveIsRead(String pattern) {
        assertThat(TokenizerRegex.of(pattern).work().run()).isGreaterThan(300_000);
    }

    /** All of these either ended the process when it was tried, or are of a kind that can. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '§',
            quoteCharacter = '`',
            value = {
                "(a+)+$ § repeats without bound what can match in several ways",
                "(a|aa)+$ § repeats without bound what can match in several ways",
                "(x+x+)+y § repeats without bound",
                "(a*)*b § repeats without bound",
                "(?:|a)+b § repeats without bound",
                "(.*?)*?x § repeats without bound",
                ".*.*= § may go back and try again too often",
                "a*(?i)x|b*y § may go back and try again too often",
                "(?=\\s*\\s*x) § may go back and try again too often",
                "(?:a(?!b*c))+d § may go back and try again too often",
                "(?:a?){30}a{30}$ § may go back and try again too often",
                "((((a{0,99}){0,99}){0,99}){0,99}){0,99} § may go back and try again too often",
                "a{1000} § repeats more than 999 times",
                "(?:a?){1,100000} § repeats more than 999 times",
                "(?<=a+)b § looks back without bound",
                "(?<!(?>a{2,}))b § looks back without bound",
                "a** § repeats a repetition",
                "a{2}{3} § repeats a repetition",
                "a{2}? § repeats a repetition",
                "*a § repeats nothing",
                "(a)\\1 § has \\1, which is not read",
                "(?<p>\\((?:[^()]|\\g<p>)*\\)) § has (?<, which is not read",
                "(?(1)a|b) § has (?(, which is not read",
                "(?~a) § has (?~, which is not read",
                "(*ERROR) § has (*E, which is not read",
                "(?{foo}) § has (?{, which is not read",
                "(?x) a § has (?x, which is not read",
                "a\\K § has \\K, which is not read",
                "\\G § has \\G, which is not read",
                "( § has a ( without its )",
                ") § has ), which is not read",
                "[a § has a [ without its ]",
                "[]a] § has [], which is not read",
                "a\\ § ends with a \\"
            })
    void whatMayEndTheProcessIsRefused(String pattern, String why) {
        assertThatThrownBy(() -> TokenizerRegex.of(pattern))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(why);
    }

    /** Where what is repeated may be spaces and letters, a text's words do not end it. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '§',
            quoteCharacter = '`',
            value = {
                "\\s+x § false",
                "\\S+x § false",
                "[^\\s\\d]+x § false",
                "[\\p{L}\\p{Mn}]+x § false",
                "(?:\\d{3})+x § false",
                "[ \\t]+x § false",
                ".+x § true",
                "[^a]+x § true",
                "[^\\h]+x § true",
                "[ a]+x § true",
                "[!-~ -]+x § true",
                "\\p{Print}+x § true",
                "[\\p{Print}]+x § true",
                "[^\\s&&a]+x § true",
                "\\D+x § true",
                "(?:\\d\\s)+x § true",
                "(?>a|\\s)+x § true"
            })
    void runsEndWhereTheyDo(String pattern, boolean anywhere) {
        assertThat(TokenizerRegex.of(pattern).work().anywhere()).isEqualTo(anywhere);
        assertThat(TokenizerRegex.of(pattern).work().linear()).isPositive();
    }

    @Test
    void nestingAndLengthAreBounded() {
        assertThat(TokenizerRegex.of("(".repeat(19) + "a" + ")".repeat(19)).empty()).isFalse();
        assertThatThrownBy(() -> TokenizerRegex.of("(".repeat(3000) + "a" + ")".repeat(3000)))
                .hasMessage("is nested too deeply");
        assertThatThrownBy(() -> TokenizerRegex.of("[".repeat(3000) + "a" + "]".repeat(3000)))
                .hasMessage("is nested too deeply");
        assertThatThrownBy(() -> TokenizerRegex.of("a".repeat(10_001)))
                .hasMessage("has more than 10000 characters");
    }

    private Path with(String part, String kind, String form, String pattern) throws IOException {
        JsonObject root = JsonParser.parseString(Files.readString(LLAMA)).getAsJsonObject();
        root.add(part, part(kind, form, pattern));
        return Files.writeString(folder.resolve("tokenizer.json"), root.toString());
    }

    private static JsonObject part(String kind, String form, String pattern) {
        JsonObject made = new JsonObject();
        made.addProperty("type", kind);
        JsonObject inner = new JsonObject();
        inner.addProperty(form, pattern);
        made.add("pattern", inner);
        if (kind.equals("Split")) {
            made.addProperty("behavior", "Isolated");
            made.addProperty("invert", false);
        } else {
            made.addProperty("content", "_");
        }
        return made;
    }

    @Test
    void aFileSaysWhichOfItsPatternsIsRefused() throws IOException {
        assertThatThrownBy(() -> Tokenizer.open(with("pre_tokenizer", "Split", "Regex", "(a+)+$")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageEndingWith(
                        "tokenizer.json is no tokenizer that can be read: it has a pre_tokenizer"
                                + " Split whose pattern repeats without bound what can match in several"
                                + " ways");
        for (String nothing : List.of("", "^", "(?=a)", "\\b", "a?", "(?:a|)")) {
            assertThatThrownBy(
                            () -> Tokenizer.open(with("normalizer", "Replace", "Regex", nothing)))
                    .hasMessageContaining(
                            "a normalizer Replace whose pattern can match no character");
        }
        assertThatThrownBy(() -> Tokenizer.open(with("normalizer", "Replace", "String", "")))
                .hasMessageContaining("can match no character");
        // What is not Oniguruma's language at all, the library refuses by itself.
        for (String wrong : List.of("\\p{Foo}", "[z-a]", "[[:foo:]]")) {
            assertThatThrownBy(() -> Tokenizer.open(with("pre_tokenizer", "Split", "Regex", wrong)))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    /** Llama 3's own expression ends the process at some five million spaces. */
    @Test
    void aTextThatWouldEndTheProcessIsRefused() {
        try (Tokenizer tokenizer = Tokenizer.open(LLAMA)) {
            String words = "a word ".repeat(200_000);
            assertThat(tokenizer.encode(words).length).isGreaterThan(200_000);
            assertThatThrownBy(() -> tokenizer.encode("word" + " ".repeat(1_000_000) + "x"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("in a row that are all white space, or none of them")
                    .hasMessageEndingWith("from character 4 on");
            assertThatThrownBy(() -> tokenizer.encode("a b" + "x".repeat(1_000_000)))
                    .hasMessageEndingWith("from character 2 on");
        }
    }

    /** What is read must not end a process, whatever the text. */
    @Test
    void whatIsReadIsSurvived() throws IOException, InterruptedException {
        assertThat(FreshJvm.run(Survival.class, folder.toString(), "1", "60")).contains("survived");
    }

    @Test
    @Tag("slow")
    void whatIsReadIsSurvivedOften() throws IOException, InterruptedException {
        assertThat(FreshJvm.run(Survival.class, folder.toString(), "2", "3000"))
                .contains("survived");
    }

    /** Shows random expressions that are read, and texts that are hard for them, to the library. */
    static final class Survival {

        private static final String[] ATOMS = {
            "a", "b", "\\s", "\\S", "\\p{L}", ".", "[ab]", "[^a]", "\\w", " ", "\\d", "[^\\s\\p{L}]"
        };
        private static final String[] TIMES = {"*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "++"};
        private static final String[] GROUPS = {"(", "(?:", "(?i:", "(?=", "(?!", "(?<!", "(?>"};

        public static void main(String... arguments) throws IOException {
            Path file = Path.of(arguments[0], "tokenizer.json");
            Random random = new Random(Long.parseLong(arguments[1]));
            JsonObject root = JsonParser.parseString(Files.readString(LLAMA)).getAsJsonObject();
            int survived = 0;
            while (survived < Integer.parseInt(arguments[2])) {
                String pattern = pattern(random, 3);
                boolean splits = random.nextBoolean();
                JsonObject tokenizer = root.deepCopy();
                tokenizer.add(
                        splits ? "pre_tokenizer" : "normalizer",
                        part(splits ? "Split" : "Replace", "Regex", pattern));
                Files.writeString(file, tokenizer.toString());
                System.out.println(pattern); // the last one is what ended the process
                try (Tokenizer opened = Tokenizer.open(file)) {
                    for (String text : texts(random)) {
                        encode(opened, text);
                    }
                    survived++;
                } catch (IllegalArgumentException e) {
                    // Refused, by us or by the library.
                }
            }
            System.out.println("survived");
        }

        private static void encode(Tokenizer tokenizer, String text) {
            try {
                tokenizer.encode(text);
            } catch (IllegalArgumentException e) {
                if (!e.getMessage().contains("regular expressions")) {
                    throw e;
                }
            }
        }

        private static String[] texts(Random random) {
            int n = 1 << random.nextInt(15);
            return new String[] {
                "a".repeat(n),
                "ab".repeat(n) + "!",
                " ".repeat(n) + "a",
                "a ".repeat(n) + "\n",
                "aab 1".repeat(n / 4)
            };
        }

        private static String pattern(Random random, int depth) {
            StringBuilder pattern = new StringBuilder();
            for (int i = random.nextInt(3); i >= 0; i--) {
                boolean group = depth > 0 && random.nextInt(3) == 0;
                pattern.append(
                        group
                                ? GROUPS[random.nextInt(GROUPS.length)]
                                        + pattern(random, depth - 1)
                                        + ")"
                                : ATOMS[random.nextInt(ATOMS.length)]);
                if (random.nextInt(2) == 0) {
                    pattern.append(TIMES[random.nextInt(TIMES.length)]);
                }
            }
            return random.nextInt(4) == 0 && depth > 0
                    ? pattern + "|" + pattern(random, depth - 1)
                    : pattern.toString();
        }
    }
}
