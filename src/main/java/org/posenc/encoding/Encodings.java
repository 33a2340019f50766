package org.posenc.encoding;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.posenc.encoding.rope.AxialRope;
import org.posenc.encoding.rope.MixedRope;
import org.posenc.encoding.rope.MultiSectionRope;
import org.posenc.encoding.rope.Pope;
import org.posenc.encoding.rope.ReRope;
import org.posenc.encoding.rope.Rope;
import org.posenc.encoding.rope.SelfExtend;
import org.posenc.encoding.rope.Xpos;

/** Every encoding by its name on the command line. A new encoding is a file and a line here. */
public final class Encodings {

    private static final Map<String, NamedEncoding> BY_NAME =
            Stream.of(
                            List.of(NoEncoding.named()),
                            List.of(LearnedTable.named()),
                            List.of(Sinusoidal.named()),
                            List.of(LearnableFourier.named()),
                            List.of(HashGrid.named()),
                            FourierFeatures.named(),
                            ShiftedBasis.named(),
                            Stream.of(
                                            List.of(Rope.named()),
                                            ReRope.named(),
                                            List.of(SelfExtend.named()))
                                    .flatMap(List::stream)
                                    .map(LogScaledQueries::offeredBy)
                                    .map(LayerSchedule::leftOutOfSome)
                                    .toList(),
                            List.of(AxialRope.named()),
                            List.of(MixedRope.named()),
                            List.of(MultiSectionRope.named()),
                            List.of(Xpos.named()),
                            List.of(Pope.named()),
                            List.of(Alibi.named()),
                            List.of(T5Bias.named()),
                            List.of(Kerple.named()),
                            List.of(Fire.named()),
                            List.of(Sandwich.named()),
                            List.of(LayerSchedule.ownInEachLayer(ForgetGate.named())),
                            List.of(LayerSchedule.ownInEachLayer(Cope.named())))
                    .flatMap(List::stream)
                    .collect(
                            Collectors.toMap(
                                    NamedEncoding::name,
                                    Function.identity(),
                                    (a, b) -> {
                                        throw new IllegalStateException("two named " + a.name());
                                    },
                                    LinkedHashMap::new));

    private Encodings() {}

    /**
     * Returns an encoding by its name.
     *
     * @param name a name of {@link #names()}
     * @return the encoding
     * @throws IllegalArgumentException if there is none of this name; the message has the nearest
     */
    public static NamedEncoding named(String name) {
        NamedEncoding encoding = BY_NAME.get(name);
        if (encoding == null) {
            throw new IllegalArgumentException(
                    "unknown encoding \"" + name + "\"" + Settings.suggestion(name, names()));
        }
        return encoding;
    }

    /**
     * Returns all names.
     *
     * @return the names, related ones together
     */
    public static List<String> names() {
        return List.copyOf(BY_NAME.keySet());
    }

    /**
     * Returns the names of the encodings that are features of positions.
     *
     * @return the names, related ones together
     */
    public static List<String> namesWithFeatures() {
        return BY_NAME.values().stream()
                .filter(NamedEncoding::hasFeatures)
                .map(NamedEncoding::name)
                .toList();
    }
}
