package org.posenc.experiment.reproduction;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What to reproduce.
 *
 * @param recipes the recipes, at least one, each once
 * @param scale their scale, for a reader
 * @param setting what they share
 */
public record ReproductionPlan(List<Recipe> recipes, Scale scale, Setting setting) {

    /** Checks and copies the values. */
    public ReproductionPlan {
        recipes = List.copyOf(recipes);
        if (recipes.isEmpty()) {
            throw new IllegalArgumentException("there is no recipe to reproduce");
        }
        List<String> names = recipes.stream().map(Recipe::name).toList();
        if (names.stream().distinct().count() < names.size()) {
            throw new IllegalArgumentException("recipes must be named once each, got " + names);
        }
    }

    /**
     * Returns the settings in words, for a reader.
     *
     * @return names and values, those by default included
     */
    public Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("scale", scale.name().toLowerCase(Locale.ROOT));
        settings.put("image", setting.subject().identity());
        settings.put(
                "seeds",
                setting.seeds().isPresent()
                        ? Integer.toString(setting.seeds().getAsInt())
                        : "each recipe's own");
        recipes.forEach(recipe -> settings.put(recipe.name(), recipe.about().size()));
        return settings;
    }
}
