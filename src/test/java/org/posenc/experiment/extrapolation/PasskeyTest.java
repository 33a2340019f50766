package org.posenc.experiment.extrapolation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.kernel.CrossEntropy;
import org.posenc.training.SequenceBatches.Sequence;
import org.posenc.training.TextCorpus;

class PasskeyTest {

    private static final Path TOKENIZER = Path.of("models/tokenizer-bytes/tokenizer.json");
    private static final Pattern KEY =
            Pattern.compile("\nThe pass key is (\\d{5})\\. Remember it\\.\n");

    private int[] text;

    @BeforeEach
    void makeText() throws IOException {
        try (HuggingFaceTokenizer tokenizer = TextCorpus.tokenizer(TOKENIZER)) {
            text = new TextCorpus(List.of("x".repeat(500))).encode(tokenizer);
        }
    }

    private static String decoded(int[] ids) throws IOException {
        try (HuggingFaceTokenizer tokenizer = TextCorpus.tokenizer(TOKENIZER)) {
            return tokenizer.decode(Arrays.stream(ids).mapToLong(id -> id).toArray());
        }
    }

    private static int[] labels(Sequence sequence) {
        return Arrays.stream(sequence.labels())
                .filter(label -> label != CrossEntropy.IGNORED)
                .mapToInt(label -> (int) label)
                .toArray();
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.25, 0.5, 1})
    void tellsDigitsOnceAtTheirDepthAndAsksAtTheEnd(double depth) throws IOException {
        Passkey passkey = Passkey.ofDigits(TOKENIZER);
        Sequence s = passkey.question(new SplittableRandom(3), text, 300, depth);
        assertThat(s.ids()).hasSize(300);
        String shown = decoded(s.ids());
        String answer = decoded(labels(s));
        assertThat(answer).matches("\\d{5}");
        Matcher key = KEY.matcher(shown);
        assertThat(key.find()).isTrue();
        assertThat(key.group(1)).isEqualTo(answer);
        int beside = "\nThe pass key is 12345. Remember it.\n\nThe pass key is 12345".length();
        assertThat(key.start()).isEqualTo((int) Math.round(depth * (301 - beside)));
        assertThat(shown).endsWith("\nThe pass key is " + answer.substring(0, 4));
        assertThat(shown.replaceFirst(KEY.pattern(), "").replaceFirst("\nThe.*", "")).matches("x+");
    }

    @Test
    void rareTokensAreNotThoseOfTheText() {
        int[] read = new SplittableRandom(1).ints(5000, 0, 100).toArray();
        Passkey passkey = Passkey.ofRareTokens(170, read);
        Set<Integer> rare = new HashSet<>();
        Arrays.stream(passkey.symbols()).forEach(symbol -> rare.add(symbol[0]));
        rare.add(passkey.told()[0]);
        assertThat(rare).hasSize(65).allMatch(id -> id >= 100 && id < 170);
        assertThatThrownBy(() -> Passkey.ofRareTokens(64, read))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("more than 64 tokens, got 64");
        assertThat(Passkey.fromJson(passkey.toJson()))
                .usingRecursiveComparison()
                .isEqualTo(passkey);
    }

    @Test
    void aLessonTellsTheSameKeyFourTimesAndEveryTokenIsALabel() {
        Passkey passkey = Passkey.ofRareTokens(1000, text);
        SplittableRandom random = new SplittableRandom(1);
        Set<Integer> places = new HashSet<>();
        for (int i = 0; i < 50; i++) {
            Sequence s = passkey.lesson(random, text, 64);
            assertThat(s.ids()).hasSize(64);
            int[] all = labels(s);
            assertThat(all).hasSize(64); // all tokens but the first
            Set<Integer> keys = new HashSet<>();
            for (int at = 1; at < 64; at++) {
                if (s.ids()[at - 1] == passkey.told()[0]) {
                    keys.add(s.ids()[at]);
                    places.add(at);
                }
            }
            assertThat(keys).hasSize(1);
        }
        assertThat(places).hasSizeGreaterThan(40);
    }

    @Test
    void refusesWhatLeavesNoRoom() throws IOException {
        Passkey passkey = Passkey.ofDigits(TOKENIZER);
        SplittableRandom random = new SplittableRandom(1);
        int least = passkey.shortest();
        assertThat(passkey.question(random, text, least, 0.5).ids()).hasSize(least);
        assertThat(passkey.lesson(random, text, least).ids()).hasSize(least);
        assertThatThrownBy(() -> passkey.question(random, text, least - 1, 0.5))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at least " + least);
        assertThatThrownBy(() -> passkey.lesson(random, text, 501))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("500 tokens of text");
    }
}
