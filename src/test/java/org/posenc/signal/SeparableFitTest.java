package org.posenc.signal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.testing.Goldens;
import org.posenc.testing.Gradients;

class SeparableFitTest {

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        manager.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"gau", "tri", "rff"})
    void leastSquaresInThePlaneEqualTheAuthors(String encoder) {
        JsonObject golden =
                Goldens.read("shifted-basis/complex_closed_form_2d_" + encoder + ".json");
        NDArray a = array(golden.get("A"));
        NDArray b = array(golden.get("B"));
        NDArray s = array(golden.get("S")).expandDims(2);
        SeparableFit fit = SeparableFit.of(List.of(a, b), s, new Regularization.CutOff(1e-15));
        assertThat(fit.weights().getShape())
                .isEqualTo(new Shape(1, a.getShape().get(1), b.getShape().get(1)));
        double[] w = Goldens.flat(golden.get("W"));
        assertThat(fit.weights().toDoubleArray())
                .containsExactly(w, Offset.offset(1e-12 * norm(w)));
        assertThat(fit.onGrid(List.of(a, b)).toDoubleArray())
                .containsExactly(Goldens.flat(golden.get("fit")), Offset.offset(1e-12));
        assertThat(fit.stableRank())
                .isCloseTo(golden.get("product").getAsDouble(), Offset.offset(1e-12));
    }

    @Test
    void aVolumeIsFittedAsTheDenseProblem() {
        NDArray a = Gradients.normal(manager, 1, 4, 3);
        NDArray b = Gradients.normal(manager, 2, 3, 2);
        NDArray c = Gradients.normal(manager, 3, 2, 3);
        NDArray s = Gradients.normal(manager, 4, 4, 3, 2, 2);
        SeparableFit fit = SeparableFit.of(List.of(a, b, c), s, new Regularization.CutOff(0));
        assertThat(fit.weights().getShape()).isEqualTo(new Shape(2, 3, 2, 3));
        assertThat(fit.onGrid(List.of(a, b, c)).getShape()).isEqualTo(s.getShape());
    }

    @Test
    void whatCannotBeFittedIsRefused() {
        NDArray a = manager.ones(new Shape(3, 2));
        NDArray s = manager.ones(new Shape(3, 3, 1));
        Regularization cutOff = new Regularization.CutOff(1e-3);
        assertThatThrownBy(() -> SeparableFit.of(List.of(a), s, cutOff))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("(3, 3, 1)");
        NDArray nan = manager.create(new float[] {1, 2, 3, Float.NaN, 5, 6}, new Shape(2, 3, 1));
        NDArray two = manager.ones(new Shape(2, 2));
        assertThatThrownBy(() -> SeparableFit.of(List.of(two, a), nan, cutOff))
                .hasMessage("samples must be finite, got NaN at [1, 0, 0]");
        NDArray zeros = manager.zeros(new Shape(3, 2));
        assertThatThrownBy(() -> SeparableFit.of(List.of(a, zeros), s, cutOff))
                .hasMessageContaining("axis 1");
        NDArray half = s.toType(DataType.FLOAT16, false);
        assertThatThrownBy(() -> SeparableFit.of(List.of(a, a), half, cutOff))
                .hasMessageContaining("float16");
    }

    private NDArray array(JsonElement nested) {
        return manager.create(Goldens.flat(nested), new Shape(Goldens.shape(nested)));
    }

    private static double norm(double... values) {
        double sum = 0;
        for (double v : values) {
            sum += v * v;
        }
        return Math.sqrt(sum);
    }
}
