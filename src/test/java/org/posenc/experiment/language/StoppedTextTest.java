package org.posenc.experiment.language;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class StoppedTextTest {

    /** Whatever the pieces, the text ends where the first of the words begins. */
    @Test
    void endsBeforeTheFirstWordHoweverItComes() {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 500; i++) {
            String text = letters(random, 30);
            List<String> stops = List.of(letters(random, 3), letters(random, 2));
            int end = text.length();
            for (String stop : stops) {
                int at = text.indexOf(stop);
                end = at < 0 ? end : Math.min(end, at);
            }
            StoppedText stopped = new StoppedText(stops);
            StringBuilder told = new StringBuilder();
            int from = 0;
            while (from < text.length() && !stopped.stopped()) {
                int to = Math.min(text.length(), from + 1 + random.nextInt(4));
                told.append(stopped.add(text.substring(from, to)));
                from = to;
            }
            told.append(stopped.end());
            assertThat(told.toString()).as(text + " " + stops).isEqualTo(text.substring(0, end));
            assertThat(stopped.stopped()).isEqualTo(end < text.length());
        }
    }

    private static String letters(SplittableRandom random, int count) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append((char) ('a' + random.nextInt(3)));
        }
        return text.toString();
    }

    @Test
    void tellsAtOnceWhatCanBeNoBeginning() {
        StoppedText text = new StoppedText(List.of("User:"));
        assertThat(text.add("Hello U")).isEqualTo("Hello ");
        assertThat(text.add("s")).isEmpty();
        assertThat(text.add("!")).isEqualTo("Us!");
        assertThat(text.add(" User: hi")).isEqualTo(" ");
        assertThat(text.add("more")).isEmpty();
        List<String> none = new ArrayList<>();
        assertThat(new StoppedText(none).add("all")).isEqualTo("all");
        assertThatThrownBy(() -> new StoppedText(List.of("")))
                .hasMessage("a text cannot stop at an empty word");
    }
}
