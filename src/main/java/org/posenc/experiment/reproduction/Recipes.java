package org.posenc.experiment.reproduction;

import java.util.List;

/** Every recipe, by name. */
public final class Recipes {

    private Recipes() {}

    /**
     * Returns every recipe.
     *
     * @param scale how large
     * @return in the papers' order
     */
    public static List<Recipe> all(Scale scale) {
        return List.of(
                Layers.at(scale),
                OneLinearLayer.at(scale),
                SigmaSweep.at(scale),
                TradeOff.at(scale),
                Variance1d.at(scale),
                Variance2d.at(scale),
                Qualitative.at(scale),
                Plane.at(scale),
                PlaneRandom.at(scale),
                Volume.at(scale),
                VolumeRandom.at(scale),
                Speed.at(scale));
    }

    /**
     * Returns the recipe of a name.
     *
     * @param name its name
     * @param scale how large
     * @return the recipe
     * @throws IllegalArgumentException if there is none
     */
    public static Recipe named(String name, Scale scale) {
        List<Recipe> all = all(scale);
        return all.stream()
                .filter(recipe -> recipe.name().equals(name))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "there is no recipe \""
                                                + name
                                                + "\"; there are all, "
                                                + String.join(
                                                        ", ",
                                                        all.stream().map(Recipe::name).toList())));
    }
}
