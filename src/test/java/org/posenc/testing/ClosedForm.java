package org.posenc.testing;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.posenc.encoding.Positions;
import org.posenc.model.CoordinateMlp;
import org.posenc.signal.FittedSignal;
import org.posenc.signal.NetworkPlan;
import org.posenc.signal.Regularization;
import org.posenc.signal.SeparableFit;
import org.posenc.signal.Signal;
import org.posenc.signal.Tiles;

/** Signals fitted in closed form, in no time. */
public final class ClosedForm {

    private ClosedForm() {}

    /** Fits all samples, tile by tile. */
    public static FittedSignal of(Signal signal, NetworkPlan plan, Tiles tiles, NDManager manager) {
        List<CoordinateMlp> networks = new ArrayList<>();
        for (Signal part : tiles.cut(signal)) {
            networks.add(network(part, plan, manager));
        }
        return new FittedSignal(plan, tiles, networks, new float[plan.outputs()]);
    }

    private static CoordinateMlp network(Signal part, NetworkPlan plan, NDManager manager) {
        CoordinateMlp network = plan.network(0);
        network.initialize(manager, DataType.FLOAT64, new Shape(1, part.axes()));
        List<Positions> axes = new ArrayList<>();
        for (int n : part.sides()) {
            double[] x = new double[n];
            Arrays.setAll(x, i -> (double) i / n);
            axes.add(Positions.of(manager.create(x)));
        }
        ParameterStore parameters = new ParameterStore(manager, false);
        List<NDArray> features = network.axisFeatures(axes, parameters, false);
        NDArray samples = part.array(manager).toType(DataType.FLOAT64, false);
        Regularization cutOff = new Regularization.CutOff(1e-2);
        network.complexMap().setWeights(SeparableFit.of(features, samples, cutOff).weights());
        return network;
    }
}
