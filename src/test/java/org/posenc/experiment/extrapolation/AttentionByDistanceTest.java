package org.posenc.experiment.extrapolation;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.posenc.encoding.Alibi;
import org.posenc.encoding.NoEncoding;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.model.Transformer;

/** Against sums over distances, for a decoder so fresh that content moves no attention. */
class AttentionByDistanceTest {

    private static final int LENGTH = 16;

    private static List<Double> shares(PositionalEncoding encoding) {
        try (NDManager manager = NDManager.newBaseManager()) {
            Transformer decoder = new Transformer(TextTask.decoder(1, 4, 2, 4, 8, 1), encoding);
            decoder.initialize(manager, DataType.FLOAT32, new Shape(1, 1));
            return AttentionByDistance.of(Reader.of(decoder), new int[LENGTH], manager);
        }
    }

    /** The weight of each distance is e^(−slope · distance), a mean over slopes and queries. */
    private static double[] expected(double... slopes) {
        double[] shares = new double[AttentionByDistance.ranges(LENGTH).size()];
        for (double slope : slopes) {
            for (int i = LENGTH - LENGTH / 4; i < LENGTH; i++) {
                double all = 0;
                for (int d = 0; d <= i; d++) {
                    all += Math.exp(-slope * d);
                }
                for (int d = 0; d <= i; d++) {
                    int range = d == 0 ? 0 : 1 + (int) (Math.log(d) / Math.log(2) + 1e-9);
                    shares[range] += Math.exp(-slope * d) / all / slopes.length / (LENGTH / 4);
                }
            }
        }
        return shares;
    }

    private static double[] array(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }

    @Test
    void evenAttentionIsSharedByTheNumberOfKeys() {
        assertThat(AttentionByDistance.ranges(LENGTH)).containsExactly(0, 1, 2, 4, 8);
        assertThat(array(shares(new NoEncoding())))
                .containsExactly(expected(0), Offset.offset(1e-3));
    }

    @Test
    void attentionThatFallsWithDistanceIsSharedByItsSlopes() {
        PositionalEncoding alibi = Alibi.builder().setHeads(2).optCausal(true).build();
        assertThat(array(shares(alibi)))
                .containsExactly(expected(Alibi.slopes(2)), Offset.offset(1e-3));
    }
}
