package org.posenc.training;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Parameter;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.TrainingConfig;
import ai.djl.training.listener.TrainingListener;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.Precision;
import org.posenc.kernel.Recomputation;
import org.posenc.kernel.Scalars;

/**
 * DJL's Trainer for a model on one device, without its traps.
 *
 * <p>Any number of these may train at once in threads of one process; gradients are clipped between
 * backward and the optimizer's step; several batches may add up to one step; matrix products may be
 * narrower than float32 ({@link Precision}) and activations computed again instead of kept ({@link
 * Recomputation}); evaluating records no gradients; the mean loss is kept on the device until it is
 * asked for. {@code EasyTrain} works with it as with any Trainer:
 *
 * <pre>{@code
 * try (AdamW adamW = AdamW.builder().optLearningRate(new WarmupCosine(3e-3, 50, 500, 0)).build();
 *         SingleDeviceTrainer trainer = SingleDeviceTrainer.builder()
 *                 .setModel(model)
 *                 .setLoss(new CausalLanguageModelLoss())
 *                 .setOptimizer(adamW)
 *                 .optClipNorm(1)
 *                 .build()) {
 *     trainer.initialize(new Shape(16, 64));
 *     EasyTrain.fit(trainer, 1, windows, null);
 *     float loss = trainer.takeMeanLoss();
 * }
 * }</pre>
 *
 * <p>One trainer belongs to one thread. The model must live on the device it is trained on, as
 * {@code Model.newInstance(name, device)} makes it.
 */
public final class SingleDeviceTrainer extends Trainer {

    private final Optimizer optimizer;
    private final GradientClipping clipping;
    private final int accumulation;
    private final Precision precision;
    private final int recomputed;
    private final LossScaling scaling; // null where the loss is not scaled
    private final Device device;
    private List<Parameter> parameters;
    private int batches;
    private NDArray lossSum;
    private int losses;

    private SingleDeviceTrainer(Builder builder) {
        super(builder.model, builder.config());
        optimizer = builder.optimizer;
        clipping = builder.clipping;
        accumulation = builder.accumulation;
        precision = builder.precision;
        recomputed = builder.recomputed;
        scaling =
                builder.scaling == null && precision == Precision.FLOAT16
                        ? new LossScaling()
                        : builder.scaling;
        device = builder.model.getNDManager().getDevice();
    }

    /**
     * Returns a builder.
     *
     * @return a builder that neither clips nor accumulates
     */
    public static Builder builder() {
        return new Builder();
    }

    /** {@inheritDoc} */
    @Override
    public NDList forward(NDList input) {
        try (Autograd.Scope narrow = precision.use();
                Autograd.Scope again = Recomputation.ofLayers(recomputed)) {
            return super.forward(input);
        }
    }

    /** {@inheritDoc} */
    @Override
    public NDList forward(NDList data, NDList labels) {
        try (Autograd.Scope narrow = precision.use();
                Autograd.Scope again = Recomputation.ofLayers(recomputed)) {
            return super.forward(data, labels);
        }
    }

    /** {@inheritDoc} */
    @Override
    public GradientCollector newGradientCollector() {
        GradientCollector collector = Autograd.collector();
        return new GradientCollector() {
            @Override
            public void backward(NDArray loss) {
                double factor = (scaling == null ? 1 : scaling.scale()) / accumulation;
                collector.backward(factor == 1 ? loss : Scalars.mul(loss, factor));
                try (Autograd.Scope off = Autograd.off()) {
                    add(loss);
                }
            }

            @Override
            public void zeroGradients() {
                collector.zeroGradients();
            }

            @Override
            public void close() {
                collector.close();
            }
        };
    }

    private void add(NDArray loss) {
        if (lossSum == null) {
            lossSum = getManager().zeros(loss.getShape(), loss.getDataType());
        }
        lossSum.addi(loss);
        losses++;
    }

    /**
     * Returns the mean loss over the batches since the last call, and waits for the device.
     *
     * @return the mean of the losses that {@code backward} was called with; NaN where there was
     *     none
     */
    public float takeMeanLoss() {
        if (losses == 0) {
            return Float.NaN;
        }
        float mean = lossSum.getFloat() / losses;
        lossSum.close();
        lossSum = null;
        losses = 0;
        return mean;
    }

    /**
     * {@inheritDoc}
     *
     * <p>With accumulation, every n-th call steps, with the mean of the n batches' gradients; the
     * others do nothing. Where the loss is scaled, gradients are scaled back before they are
     * clipped, and a step with one that is not finite changes nothing but the scale.
     */
    @Override
    public void step() {
        if (++batches % accumulation != 0) {
            return;
        }
        long begin = System.nanoTime();
        if (parameters == null) {
            parameters = parametersOf(getModel());
        }
        if (scaling != null && !scaling.apply(parameters)) {
            addMetric("step", begin);
            return;
        }
        if (clipping != null) {
            try (NDArray norm = clipping.apply(parameters)) {
                addMetric("clip", begin);
            }
        }
        if (optimizer instanceof AdamW adamW) {
            adamW.update(parameters);
        } else {
            parameters.forEach(this::update);
        }
        addMetric("step", begin);
    }

    private void update(Parameter parameter) {
        if (!parameter.requiresGradient()) {
            return;
        }
        NDArray weight = parameter.getArray();
        try (NDArray gradient = Autograd.gradient(weight)) {
            if (gradient != null) {
                // DJL's optimizers zero the weight's gradient before they are done with this one.
                try (NDArray copy = gradient.duplicate()) {
                    optimizer.update(parameter.getId(), weight, copy);
                }
            }
        }
    }

    private List<Parameter> parametersOf(Model model) {
        Map<String, Parameter> distinct = new LinkedHashMap<>(); // tied parameters are listed twice
        for (Parameter parameter : model.getBlock().getParameters().values()) {
            if (parameter.isInitialized()) {
                distinct.put(parameter.getId(), parameter);
                Device own = parameter.getArray().getDevice();
                if (!own.equals(device)) {
                    throw new IllegalStateException(
                            "parameter "
                                    + parameter.getName()
                                    + " is on "
                                    + own
                                    + ", but the model is trained on "
                                    + device);
                }
            }
        }
        return new ArrayList<>(distinct.values());
    }

    /** {@inheritDoc} */
    @Override
    public NDList evaluate(NDList input) {
        try (Autograd.Scope off = Autograd.off();
                Autograd.Scope narrow = precision.use()) {
            return super.evaluate(input);
        }
    }

    /**
     * Returns the loss's scaling, whose state belongs to that of the training.
     *
     * @return empty where the loss is not scaled
     */
    public Optional<LossScaling> lossScaling() {
        return Optional.ofNullable(scaling);
    }

    /** Builds {@link SingleDeviceTrainer}. */
    public static final class Builder {

        private final List<TrainingListener> listeners = new ArrayList<>();
        private Model model;
        private Loss loss;
        private Optimizer optimizer;
        private GradientClipping clipping;
        private int accumulation = 1;
        private Precision precision = Precision.FLOAT32;
        private LossScaling scaling;
        private int recomputed;

        private Builder() {}

        /**
         * Sets the model.
         *
         * @param model a model with a block, on the device to train on
         * @return this builder
         */
        public Builder setModel(Model model) {
            this.model = model;
            return this;
        }

        /**
         * Sets the loss.
         *
         * @param loss any DJL loss
         * @return this builder
         */
        public Builder setLoss(Loss loss) {
            this.loss = loss;
            return this;
        }

        /**
         * Sets the optimizer.
         *
         * @param optimizer any DJL optimizer; the caller closes an {@link AdamW}
         * @return this builder
         */
        public Builder setOptimizer(Optimizer optimizer) {
            this.optimizer = optimizer;
            return this;
        }

        /**
         * Clips the norm of all gradients together.
         *
         * @param maximum the largest norm that passes, positive
         * @return this builder
         * @throws IllegalArgumentException if it is not positive
         */
        public Builder optClipNorm(double maximum) {
            clipping = new GradientClipping(maximum);
            return this;
        }

        /**
         * Sets how many batches make one step.
         *
         * @param batches at least 1
         * @return this builder
         * @throws IllegalArgumentException if it is smaller
         */
        public Builder optAccumulation(int batches) {
            if (batches < 1) {
                throw new IllegalArgumentException("a step takes at least 1 batch, got " + batches);
            }
            accumulation = batches;
            return this;
        }

        /**
         * Sets the precision of the model's matrix products. Parameters, gradients and moments stay
         * float32.
         *
         * @param precision float32 where it is not set; with float16 the loss is scaled
         * @return this builder
         */
        public Builder optPrecision(Precision precision) {
            this.precision = precision;
            return this;
        }

        /**
         * Sets how the loss is scaled.
         *
         * @param scaling a new one, or one with the state of a training that goes on; where it is
         *     not set, a new one for float16 and none for other precisions
         * @return this builder
         */
        public Builder optLossScaling(LossScaling scaling) {
            this.scaling = scaling;
            return this;
        }

        /**
         * Has backward compute activations again instead of keeping them, see {@link
         * Recomputation}.
         *
         * @param layers how many layers of a Transformer keep their input together; 0, where it is
         *     not set, keeps all activations
         * @return this builder
         * @throws IllegalArgumentException if it is negative
         */
        public Builder optRecomputation(int layers) {
            Recomputation.ofLayers(layers).close(); // which checks it
            recomputed = layers;
            return this;
        }

        /**
         * Adds listeners.
         *
         * @param added DJL's or your own
         * @return this builder
         */
        public Builder addListeners(TrainingListener... added) {
            listeners.addAll(List.of(added));
            return this;
        }

        /**
         * Builds the trainer.
         *
         * @return a trainer to initialise, use and close
         * @throws IllegalArgumentException if the model, its block, the loss or the optimizer is
         *     missing
         */
        public SingleDeviceTrainer build() {
            if (model == null || model.getBlock() == null || loss == null || optimizer == null) {
                throw new IllegalArgumentException(
                        "a trainer needs a model with a block, a loss and an optimizer");
            }
            return new SingleDeviceTrainer(this);
        }

        private TrainingConfig config() {
            return new DefaultTrainingConfig(loss)
                    .optOptimizer(optimizer)
                    .optDevices(new Device[] {model.getNDManager().getDevice()})
                    .addTrainingListeners(listeners.toArray(TrainingListener[]::new));
        }
    }
}
