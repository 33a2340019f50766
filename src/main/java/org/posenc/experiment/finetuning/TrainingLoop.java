package org.posenc.experiment.finetuning;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.Precision;
import org.posenc.kernel.Recomputation;
import org.posenc.kernel.Scalars;
import org.posenc.model.Transformer;
import org.posenc.training.AdamW;
import org.posenc.training.CausalLanguageModelLoss;
import org.posenc.training.GradientClipping;
import org.posenc.training.LossScaling;
import org.posenc.training.PackedBatches;
import org.posenc.training.PackedDocuments;

/**
 * Trains a decoder on packed documents, step by step. What a step does depends on the parameters,
 * the optimizer's moments, the seed and the step's number alone, so that a training can go on from
 * any step as if it had never ended.
 *
 * <p>The loss of a step is the mean over all tokens that count in its batches, however they are
 * distributed over them: the batches' means, each by its share of these tokens.
 */
final class TrainingLoop implements AutoCloseable {

    private static final long ODD = 0xD1342543DE82EF95L;

    /** A loss scaled by less, whose gradient still overflows, is not going to be mended. */
    private static final double LEAST_SCALE = 1e-4;

    private final Transformer model;
    private final PackedBatches batches;
    private final Optimization optimization;
    private final long seed;
    private final boolean drops;
    private final NDManager manager;
    private final ParameterStore parameters;
    private final Map<String, Parameter> trained = new LinkedHashMap<>();
    private final AdamW optimizer;
    private final GradientClipping clipping;
    private LossScaling scaling; // null where the loss is not scaled
    private int updates;
    private final CausalLanguageModelLoss meanLoss = new CausalLanguageModelLoss();

    /**
     * What came of a step.
     *
     * @param loss before it, nats a token
     * @param gradientNorm before it was clipped
     * @param learningRate of the step
     * @param tokens that were read
     */
    record Step(double loss, double gradientNorm, double learningRate, int tokens) {}

    /**
     * A loop before its first step.
     *
     * @param model on its device; parameters that need no gradients stay as they are
     * @param documents the rows
     * @param optimization how it is trained
     * @param seed decides the order of rows, and dropout
     * @param parent owns what the loop needs
     */
    TrainingLoop(
            Transformer model,
            PackedDocuments documents,
            Optimization optimization,
            long seed,
            NDManager parent) {
        this.model = model;
        this.optimization = optimization;
        this.seed = seed;
        batches = new PackedBatches(documents, optimization.batch(), 1, seed);
        manager = parent.newSubManager();
        parameters = new ParameterStore(manager, false);
        List<String> known = new ArrayList<>(); // tied parameters have several names
        model.named()
                .forEach(
                        (name, parameter) -> {
                            if (parameter.requiresGradient()
                                    && !known.contains(parameter.getId())) {
                                known.add(parameter.getId());
                                trained.put(name, parameter);
                            }
                        });
        optimizer = optimization.optimizer();
        clipping = optimization.clipping();
        scaling = optimization.precision() == Precision.FLOAT16 ? new LossScaling() : null;
        drops =
                model.lora().map(lora -> lora.dropout() > 0).orElse(false)
                        || model.config().embeddingDropout() > 0
                        || model.config().attentionDropout() > 0
                        || model.config().residualDropout() > 0;
    }

    /** Returns the parameters that are trained, by the model's names. */
    Map<String, Parameter> trained() {
        return trained;
    }

    /** Returns the optimizer, whose moments are kept with the parameters. */
    AdamW optimizer() {
        return optimizer;
    }

    /** Returns how often the parameters were changed: the steps, but for those left out. */
    int updates() {
        return updates;
    }

    /** Returns how the loss is scaled, which float16 needs. */
    Optional<LossScaling> scaling() {
        return Optional.ofNullable(scaling);
    }

    /** Goes on after so many updates. */
    void goOn(int done, Optional<LossScaling> scaled) {
        updates = done;
        scaling = scaled.orElse(null);
    }

    /**
     * Takes a step.
     *
     * @param step its number, from 0
     * @return what came of it; in float16 a step whose gradient overflows is left out, and its norm
     *     is infinite
     * @throws IllegalArgumentException if loss or gradient are not finite; nothing is changed then
     */
    Step take(int step) {
        if (drops) {
            Engine.getEngine("PyTorch").setRandomSeed((int) (seed * ODD + step));
        }
        List<PackedDocuments.Rows> rows = new ArrayList<>();
        int scored = 0;
        int tokens = 0;
        for (int i = 0; i < optimization.accumulation(); i++) {
            PackedDocuments.Rows batch =
                    batches.rows((long) step * optimization.accumulation() + i);
            rows.add(batch);
            scored += batch.scored();
            tokens += batch.tokens();
        }
        try (NDManager own = manager.newSubManager()) {
            NDArray loss = null;
            for (PackedDocuments.Rows batch : rows) {
                NDArray part = backward(batch, (double) batch.scored() / scored, own);
                loss = loss == null ? part : loss.add(part);
            }
            double rate = optimization.rate().getNewValue(updates);
            if (scaling != null && !scaling.apply(trained.values())) {
                boolean lost = scaling.scale() < LEAST_SCALE;
                Step left = new Step(loss.getFloat(), Double.POSITIVE_INFINITY, rate, tokens);
                requireFinite(left.loss(), lost ? left.gradientNorm() : 0, step);
                return left;
            }
            NDArray norm = clipping.apply(trained.values());
            norm.attach(own);
            Step taken = new Step(loss.getFloat(), norm.getFloat(), rate, tokens);
            requireFinite(taken.loss(), taken.gradientNorm(), step);
            optimizer.update(trained.values());
            updates++;
            return taken;
        }
    }

    /** Returns a batch's part in the loss of the step, whose gradient is added up. */
    private NDArray backward(PackedDocuments.Rows rows, double share, NDManager own) {
        try (NDManager batch = own.newSubManager();
                Autograd.Scope narrow = optimization.precision().use();
                Autograd.Scope again = Recomputation.ofLayers(optimization.recomputed());
                GradientCollector collector = Autograd.collector()) {
            NDList logits = model.forward(parameters, rows.data(batch), true);
            NDArray loss = meanLoss.evaluate(new NDList(rows.labels(batch)), logits);
            logits.close(); // backward needs their softmax alone
            NDArray part = Scalars.mul(loss, share);
            collector.backward(scaling == null ? part : Scalars.mul(part, scaling.scale()));
            NDArray value = part.stopGradient();
            value.attach(own);
            return value;
        }
    }

    private static void requireFinite(double loss, double gradientNorm, int step) {
        if (!Double.isFinite(loss) || !Double.isFinite(gradientNorm)) {
            throw new IllegalArgumentException(
                    "step "
                            + (step + 1)
                            + " has a loss of "
                            + loss
                            + " and a gradient of norm "
                            + gradientNorm
                            + "; it was not taken, and what was saved before it is kept: a lower"
                            + " --learning-rate or a longer --warmup may help");
        }
    }

    /** Frees the optimizer's moments and the loop's arrays. */
    @Override
    public void close() {
        optimizer.close();
        manager.close();
    }
}
