package org.posenc.experiment.fitting;

import java.util.Locale;
import java.util.Optional;
import org.posenc.signal.Regularization;

/** How a network comes by its parameters. */
public sealed interface FitMethod {

    /**
     * The best linear layer over a complex encoding, solved for.
     *
     * @param regularization what is done about directions that samples hardly determine; where it
     *     is empty, what suits the encoding
     */
    record ClosedForm(Optional<Regularization> regularization) implements FitMethod {

        @Override
        public String toString() {
            return "closed form"
                    + regularization
                            .map(r -> ", " + r.toString().toLowerCase(Locale.ROOT))
                            .orElse("");
        }
    }

    /**
     * Adam on the mean squared error, its rate falling along half a cosine to a tenth.
     *
     * @param steps of the optimizer, at least 1
     * @param learningRate its first rate, positive
     * @param batch about how many samples a step sees, at least 1; all where it is more
     */
    record Training(int steps, double learningRate, int batch) implements FitMethod {

        /** Checks the values. */
        public Training {
            if (steps < 1 || batch < 1) {
                throw new IllegalArgumentException(
                        "steps and batch must be at least 1, got " + steps + " and " + batch);
            }
            if (!(learningRate > 0) || Double.isInfinite(learningRate)) {
                throw new IllegalArgumentException(
                        "the learning rate must be positive and finite, got " + learningRate);
            }
        }

        @Override
        public String toString() {
            return steps + " steps of " + batch + " samples at rate " + learningRate;
        }
    }
}
