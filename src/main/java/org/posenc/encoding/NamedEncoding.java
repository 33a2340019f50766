package org.posenc.encoding;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;

/**
 * An encoding as the command line knows it: a name, settings, and how to make one.
 *
 * @param name in lower case with hyphens
 * @param summary what it is, with its paper, in one line
 * @param keys the settings it understands
 * @param encoding makes one for a Transformer
 * @param features makes its features, or {@code null} where it has none
 */
public record NamedEncoding(
        String name,
        String summary,
        List<Settings.Key> keys,
        BiFunction<Site, Settings, PositionalEncoding> encoding,
        BiFunction<Space, Settings, PositionFeatures> features) {

    private static final String JOIN = "join";

    private enum Join {
        ADD,
        CONCATENATE
    }

    /**
     * An encoding of the rotate or bias seam, which has no features.
     *
     * @param name in lower case with hyphens
     * @param summary what it is, with its paper, in one line
     * @param encoding makes one for a Transformer
     * @param keys the settings it understands
     * @return the entry
     */
    static NamedEncoding withoutFeatures(
            String name,
            String summary,
            BiFunction<Site, Settings, PositionalEncoding> encoding,
            Settings.Key... keys) {
        return new NamedEncoding(name, summary, List.of(keys), encoding, null);
    }

    /**
     * An encoding that is features, which a Transformer adds to its tokens or, where so set,
     * concatenates with them.
     *
     * @param name in lower case with hyphens
     * @param summary what it is, with its paper, in one line
     * @param features makes the features
     * @param keys the settings it understands
     * @return the entry
     */
    static NamedEncoding ofFeatures(
            String name,
            String summary,
            BiFunction<Space, Settings, PositionFeatures> features,
            Settings.Key... keys) {
        return joined(name, summary, features, Join.ADD, keys);
    }

    /**
     * As {@link #ofFeatures}, for features whose number is not free, so that they can only be
     * concatenated.
     */
    static NamedEncoding concatenated(
            String name,
            String summary,
            BiFunction<Space, Settings, PositionFeatures> features,
            Settings.Key... keys) {
        return joined(name, summary, features, Join.CONCATENATE, keys);
    }

    private static NamedEncoding joined(
            String name,
            String summary,
            BiFunction<Space, Settings, PositionFeatures> features,
            Join standard,
            Settings.Key... keys) {
        List<Settings.Key> all = new ArrayList<>(List.of(keys));
        all.add(
                new Settings.Key(
                        JOIN,
                        Settings.nameOf(standard),
                        "add: to the tokens; concatenate: with them, and map back to their size"));
        BiFunction<Site, Settings, PositionalEncoding> encoding =
                (site, settings) -> {
                    PositionFeatures made = features.apply(tokens(site), settings);
                    return settings.choice(JOIN, Join.class) == Join.ADD
                            ? made.added()
                            : FeatureEncoding.concatenate(made, site.embeddingSize(), site.seed());
                };
        return new NamedEncoding(name, summary, List.copyOf(all), encoding, features);
    }

    /**
     * Makes the encoding for a Transformer.
     *
     * @param site the Transformer
     * @param settings those that differ from the standard
     * @return a new block, not initialised
     * @throws IllegalArgumentException if a setting is unknown or out of range
     */
    public PositionalEncoding forTransformer(Site site, Map<String, String> settings) {
        return encoding.apply(site, Settings.of(name, keys, settings));
    }

    /**
     * Makes the features.
     *
     * @param space what they are features of
     * @param settings those that differ from the standard
     * @return a new block, not initialised
     * @throws IllegalArgumentException if the encoding has no features, or a setting is unknown or
     *     out of range
     */
    public PositionFeatures features(Space space, Map<String, String> settings) {
        if (!hasFeatures()) {
            throw new IllegalArgumentException(
                    name
                            + " acts inside attention and has no features; encodings with features"
                            + " are "
                            + Settings.quoted(Encodings.namesWithFeatures()));
        }
        List<Settings.Key> own = keys.stream().filter(key -> !key.key().equals(JOIN)).toList();
        return features.apply(space, Settings.of(name, own, settings));
    }

    /**
     * Makes the complex encoding: the Kronecker product of these features along each axis.
     *
     * @param space what it is the encoding of, with the number of features of one axis; the axes
     *     share one block, and so what it draws or learns
     * @param settings those that differ from the standard
     * @return a new block, not initialised
     * @throws IllegalArgumentException as {@link #features}, or if the product is too long
     */
    public Kronecker complexFeatures(Space space, Map<String, String> settings) {
        Space axis =
                new Space(1, space.featureDimension(), space.length(), space.unit(), space.seed());
        return Kronecker.of(features(axis, settings), space.positionDimension());
    }

    /**
     * Returns whether the encoding is features of positions.
     *
     * @return false for encodings of the rotate and bias seams
     */
    public boolean hasFeatures() {
        return features != null;
    }

    private static Space tokens(Site site) {
        return new Space(1, site.embeddingSize(), site.length(), false, site.seed());
    }
}
