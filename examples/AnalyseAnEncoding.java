import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import org.posenc.analysis.EncodingAnalysis;
import org.posenc.encoding.BasisFunction;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.Positions;
import org.posenc.encoding.ShiftedBasis;

/**
 * Asks what Gaussian features tell about positions before anything is trained, and compares it with
 * what theory says of endlessly many.
 *
 * <p>A wide Gaussian keeps distances and has a low stable rank, so that a network on it is smooth;
 * a narrow one the other way round.
 */
public final class AnalyseAnEncoding {

    private static final int POSITIONS = 256;

    private AnalyseAnEncoding() {}

    public static void main(String[] args) {
        System.out.println("sigma   stable rank  in theory  alike up to  in theory");
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            double[] x = new double[POSITIONS];
            for (int i = 0; i < POSITIONS; i++) {
                x[i] = (double) i / POSITIONS;
            }
            Positions positions = Positions.of(manager.create(x));
            for (double sigma : new double[] {0.1, 0.03, 0.01}) {
                BasisFunction gaussian = new BasisFunction.Gaussian(sigma);
                PositionFeatures features =
                        ShiftedBasis.builder().setBasis(gaussian).setDimension(POSITIONS).build();
                EncodingAnalysis analysis =
                        EncodingAnalysis.of(
                                features, positions, new ParameterStore(manager, false));
                System.out.printf(
                        "%.2f    %11.3f  %9.3f  %11.4f  %9.4f%n",
                        sigma,
                        analysis.stableRank(),
                        gaussian.stableRankLimit(),
                        analysis.distancePreservation(),
                        2 * sigma * Math.sqrt(Math.log(10)));
            }
        }
    }
}
