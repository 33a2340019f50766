package org.posenc.experiment.finetuning;

import java.util.List;
import java.util.regex.Pattern;
import org.posenc.attention.Lora;
import org.posenc.model.Transformer;

/** Which parameters of a model are trained. */
public sealed interface Tuning {

    /**
     * Makes a loaded model ready.
     *
     * @param model the model, whose other parameters get no gradients any more
     * @throws IllegalArgumentException if it has not what is named
     */
    void prepare(Transformer model);

    /**
     * The model's own, all but some.
     *
     * @param frozen patterns that are looked for in the names of parameters, such as {@code tokens}
     *     or {@code layer[0-5]\.}; none to train all
     */
    record Full(List<Pattern> frozen) implements Tuning {

        /** Copies the list. */
        public Full {
            frozen = List.copyOf(frozen);
        }

        /** {@inheritDoc} */
        @Override
        public void prepare(Transformer model) {
            frozen.forEach(model::freeze);
            if (model.named().values().stream().noneMatch(p -> p.requiresGradient())) {
                throw new IllegalArgumentException(
                        "nothing is left to be trained where " + frozen + " is frozen");
            }
        }

        @Override
        public String toString() {
            return frozen.isEmpty() ? "full" : "full, frozen " + frozen;
        }
    }

    /**
     * Pairs of narrow matrices beside the model's own.
     *
     * @param lora which, and how
     */
    record LowRank(Lora lora) implements Tuning {

        /** {@inheritDoc} */
        @Override
        public void prepare(Transformer model) {
            model.adapt(lora);
        }

        @Override
        public String toString() {
            return "lora, rank %d, alpha %s, dropout %s, targets %s"
                    .formatted(
                            lora.rank(),
                            lora.alpha(),
                            lora.dropout(),
                            String.join(" ", lora.targets()));
        }
    }
}
