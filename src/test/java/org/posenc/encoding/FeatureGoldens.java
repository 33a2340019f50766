package org.posenc.encoding;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonElement;
import org.assertj.core.data.Offset;
import org.posenc.testing.Goldens;

/** Compares features with reference values, in both precisions. */
final class FeatureGoldens {

    private FeatureGoldens() {}

    static NDArray array(NDManager manager, JsonElement nested) {
        return manager.create(Goldens.flat(nested), new Shape(Goldens.shape(nested)));
    }

    static NDArray features(PositionFeatures features, NDArray positions) {
        ParameterStore parameters = new ParameterStore(positions.getManager(), false);
        return features.features(Positions.of(positions), parameters, false);
    }

    /** Exact to 1e-12 in float64; in float32 to 1e-5, at positions rounded to float32. */
    static void check(PositionFeatures features, NDArray positions, double[] expected) {
        NDArray exact = features(features, positions);
        assertThat(exact.getDataType()).isEqualTo(DataType.FLOAT64);
        long points = positions.size() / features.positionDimension();
        assertThat(exact.size()).isEqualTo(points * features.featureDimension());
        assertThat(exact.toDoubleArray()).containsExactly(expected, Offset.offset(1e-12));

        NDArray rounded = positions.toType(DataType.FLOAT32, false);
        NDArray single = features(features, rounded);
        assertThat(single.getDataType()).isEqualTo(DataType.FLOAT32);
        double[] there =
                features(features, rounded.toType(DataType.FLOAT64, false)).toDoubleArray();
        assertThat(single.toType(DataType.FLOAT64, false).toDoubleArray())
                .containsExactly(there, Offset.offset(1e-5));
    }
}
