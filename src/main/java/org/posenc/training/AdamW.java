package org.posenc.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Parameter;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.ParameterTracker;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToDoubleBiFunction;
import org.posenc.kernel.AdamStep;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.Slice;

/**
 * AdamW (<a href="https://arxiv.org/abs/1711.05101">Loshchilov and Hutter 2017</a>), and Adam with
 * L2 decay, as PyTorch computes them; the formula is {@link AdamStep}'s.
 *
 * <p>DJL's own AdamW decays every parameter, puts ε before the bias correction and never frees its
 * state. Here biases, norms and embeddings are spared from decay by default, the state lives in
 * memory that {@link #close} frees, and all parameters take one native call per group of equal rate
 * and decay when {@link SingleDeviceTrainer} drives it. It also works in DJL's own Trainer, which
 * knows parameters by id only: there every parameter decays.
 */
public final class AdamW extends Optimizer implements AutoCloseable {

    private final AdamStep step;
    private final double decay;
    private final Predicate<Parameter> decays;
    private final ToDoubleBiFunction<String, Integer> rate;
    private final Map<String, State> states = new LinkedHashMap<>();
    private NDManager memory;

    private AdamW(Builder builder) {
        super(builder);
        if (rescaleGrad != 1 || clipGrad >= 0 || getWeightDecay() != 0) {
            throw new IllegalArgumentException(
                    "AdamW takes optDecay instead of optWeightDecays, and SingleDeviceTrainer takes"
                            + " optClipNorm and optAccumulation instead of optClipGrad and"
                            + " setRescaleGrad");
        }
        step = new AdamStep(builder.beta1, builder.beta2, builder.epsilon, builder.decoupled);
        decay = builder.decay;
        decays = builder.decays;
        rate = builder.rate;
    }

    /**
     * Returns a builder of AdamW.
     *
     * @return a builder with PyTorch's defaults: rate 0.001, betas 0.9 and 0.999, epsilon 1e-8,
     *     decay 0.01
     */
    public static Builder builder() {
        return new Builder(true, 0.01, AdamW::decaysByDefault);
    }

    /**
     * Returns a builder of Adam, whose decay is an L2 penalty: it is added to the gradient.
     *
     * @return a builder with PyTorch's defaults: rate 0.001, betas 0.9 and 0.999, epsilon 1e-8, no
     *     decay; a decay acts on every parameter
     */
    public static Builder adamWithL2() {
        return new Builder(false, 0, parameter -> true);
    }

    /**
     * Says whether a parameter is one of those that decay by default.
     *
     * @param parameter an initialised parameter
     * @return {@code true} for weights of two axes or more, save token and position tables: those
     *     named "tokens" or with "embedding" or "table" in their name
     */
    public static boolean decaysByDefault(Parameter parameter) {
        String name = parameter.getName().toLowerCase(Locale.ROOT);
        return parameter.getArray().getShape().dimension() > 1
                && !name.equals("tokens")
                && !name.contains("embedding")
                && !name.contains("table");
    }

    /**
     * Takes one step with every parameter that has a gradient, and zeroes the gradients.
     *
     * @param parameters initialised parameters on one device; a frozen one is left as it is
     */
    public void update(Collection<Parameter> parameters) {
        Map<Group, Members> groups = new LinkedHashMap<>();
        for (Parameter parameter : parameters) {
            if (parameter.requiresGradient()) {
                NDArray weight = parameter.getArray();
                NDArray gradient = Autograd.gradient(weight);
                if (gradient != null) {
                    double own = decays.test(parameter) ? decay : 0;
                    add(groups, parameter.getId(), weight, gradient, own);
                }
            }
        }
        apply(groups);
        groups.values().forEach(members -> members.gradients.forEach(NDArray::close));
    }

    /** {@inheritDoc} */
    @Override
    public void update(String parameterId, NDArray weight, NDArray gradient) {
        Map<Group, Members> groups = new HashMap<>();
        add(groups, parameterId, weight, gradient, decay);
        apply(groups);
        Autograd.zeroGradient(weight); // DJL hands over a copy of the gradient
    }

    /**
     * What the optimizer knows of a parameter.
     *
     * @param mean m, of the parameter's shape
     * @param square v, of the parameter's shape
     * @param steps how often it was updated
     */
    public record Moments(NDArray mean, NDArray square, int steps) {}

    /**
     * Returns a parameter's moments, to be kept with its values.
     *
     * @param parameter one that was updated
     * @return the moments, which the next step changes
     * @throws IllegalArgumentException if it was not updated yet
     */
    public Moments moments(Parameter parameter) {
        State state = states.get(parameter.getId());
        if (state == null) {
            throw new IllegalArgumentException(
                    "there are no moments of " + parameter.getName() + " before its first step");
        }
        return new Moments(state.mean, state.square, state.steps);
    }

    /**
     * Goes on where {@link #moments} were kept.
     *
     * @param parameter an initialised parameter of their shape
     * @param moments what was kept; copied
     */
    public void restore(Parameter parameter, Moments moments) {
        State state =
                states.computeIfAbsent(parameter.getId(), key -> newState(parameter.getArray()));
        Slice.write(state.mean, 0, 0, moments.mean);
        Slice.write(state.square, 0, 0, moments.square);
        state.steps = moments.steps;
    }

    private void add(
            Map<Group, Members> groups,
            String id,
            NDArray weight,
            NDArray gradient,
            double ownDecay) {
        State state = states.computeIfAbsent(id, key -> newState(weight));
        state.steps++;
        // DJL's trackers count updates from 0.
        double rateNow = rate.applyAsDouble(id, state.steps - 1);
        Group group = new Group(rateNow, ownDecay, state.steps, weight.getDataType());
        Members members = groups.computeIfAbsent(group, key -> new Members());
        members.weights.add(weight);
        members.gradients.add(gradient);
        members.means.add(state.mean);
        members.squares.add(state.square);
    }

    private void apply(Map<Group, Members> groups) {
        groups.forEach(
                (group, m) ->
                        step.apply(
                                m.weights,
                                m.gradients,
                                m.means,
                                m.squares,
                                group.step,
                                group.rate,
                                group.decay));
    }

    private State newState(NDArray weight) {
        if (memory == null) {
            memory = weight.getManager().getEngine().newBaseManager(weight.getDevice());
            memory.setName("AdamW");
        }
        return new State(
                memory.zeros(weight.getShape(), weight.getDataType()),
                memory.zeros(weight.getShape(), weight.getDataType()));
    }

    /** Frees the moments; the next step would start anew. */
    @Override
    public void close() {
        states.clear();
        if (memory != null) {
            memory.close();
            memory = null;
        }
    }

    private static final class State {

        private final NDArray mean;
        private final NDArray square;
        private int steps;

        State(NDArray mean, NDArray square) {
            this.mean = mean;
            this.square = square;
        }
    }

    /** What parameters must share to be updated in one call. */
    private record Group(double rate, double decay, int step, DataType type) {}

    private static final class Members {

        private final List<NDArray> weights = new ArrayList<>();
        private final List<NDArray> gradients = new ArrayList<>();
        private final List<NDArray> means = new ArrayList<>();
        private final List<NDArray> squares = new ArrayList<>();
    }

    /** Builds {@link AdamW}. */
    public static final class Builder extends OptimizerBuilder<Builder> {

        private final boolean decoupled;
        private double decay;
        private Predicate<Parameter> decays;
        private ToDoubleBiFunction<String, Integer> rate = (id, update) -> 1e-3;
        private double beta1 = 0.9;
        private double beta2 = 0.999;
        private double epsilon = 1e-8;

        private Builder(boolean decoupled, double decay, Predicate<Parameter> decays) {
            this.decoupled = decoupled;
            this.decay = decay;
            this.decays = decays;
        }

        /**
         * Sets the learning rate α.
         *
         * @param rate asked for a parameter's id and the number of its updates so far
         * @return this builder
         */
        public Builder optLearningRate(ParameterTracker rate) {
            this.rate = rate::getNewValue;
            return this;
        }

        /**
         * Sets a learning rate α that stays, in double precision, which DJL's trackers have not.
         *
         * @param rate positive
         * @return this builder
         * @throws IllegalArgumentException if it is not positive or not finite
         */
        public Builder optLearningRate(double rate) {
            if (!(rate > 0 && rate < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        "a learning rate must be positive and finite, got " + rate);
            }
            this.rate = (id, update) -> rate;
            return this;
        }

        /**
         * Sets the decay λ.
         *
         * @param decay at least 0
         * @return this builder
         * @throws IllegalArgumentException if it is negative or not finite
         */
        public Builder optDecay(double decay) {
            if (!(decay >= 0 && decay < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        "decay must be finite and at least 0, got " + decay);
            }
            this.decay = decay;
            return this;
        }

        /**
         * Sets which parameters decay.
         *
         * @param decays the choice; {@link AdamW#decaysByDefault} for AdamW where it is not set,
         *     all for Adam
         * @return this builder
         */
        public Builder optDecays(Predicate<Parameter> decays) {
            this.decays = decays;
            return this;
        }

        /**
         * Sets β₁ and β₂.
         *
         * @param beta1 β₁, in [0, 1)
         * @param beta2 β₂, in [0, 1)
         * @return this builder
         */
        public Builder optBetas(double beta1, double beta2) {
            this.beta1 = beta1;
            this.beta2 = beta2;
            return this;
        }

        /**
         * Sets ε.
         *
         * @param epsilon at least 0
         * @return this builder
         */
        public Builder optEpsilon(double epsilon) {
            this.epsilon = epsilon;
            return this;
        }

        /** {@inheritDoc} */
        @Override
        protected Builder self() {
            return this;
        }

        /**
         * Builds the optimizer.
         *
         * @return an optimizer without state yet
         * @throws IllegalArgumentException if a beta is not in [0, 1), epsilon is negative, or
         *     DJL's {@code optClipGrad}, {@code optWeightDecays} or {@code setRescaleGrad} was used
         */
        public AdamW build() {
            return new AdamW(this);
        }
    }
}
