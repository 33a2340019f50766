package org.posenc.analysis;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.Arrays;
import org.posenc.encoding.LayerContext;
import org.posenc.encoding.PositionFeatures;
import org.posenc.encoding.PositionalEncoding;
import org.posenc.encoding.Positions;
import org.posenc.encoding.Site;
import org.posenc.kernel.Autograd;
import org.posenc.kernel.Scalars;
import org.posenc.kernel.SingularValues;

/**
 * What an encoding tells about given positions, whichever seam it acts on.
 *
 * <p>Every encoding is asked through its hooks, with tokens that all are the same, so that whatever
 * differs is the encoding's doing; the first seam where something happens is analysed:
 *
 * <ul>
 *   <li>embed: the matrix' rows are the features of the positions, what it makes of tokens of
 *       zeros.
 *   <li>rotate: the rows are a vector of ones, turned by each position's angles. For RoPE that is
 *       [cos, sin] of the angles up to a rotation: x_m·x_n = 2 Σ_i cos((m − n) θ_i), plus the
 *       number of components that are not turned. Where queries and keys are turned differently, or
 *       pair by pair, there are no rows, but their products.
 *   <li>bias: there are no rows, but exp(bias) weighs a pair of positions as exp(q·k) does, so it
 *       stands for their inner products: K_mn = exp(b_mn − b_mm/2 − b_nn/2), the mean over heads.
 *       Its singular values are the squares of those that rows with these inner products have. In a
 *       causal Transformer the later position of a pair is the query.
 *   <li>none: all positions are the same, K_mn = 1, and the stable rank is 1.
 * </ul>
 *
 * @param seam where it acts
 * @param spectrum the singular values of the matrix
 * @param stableRank ‖X‖_F² / ‖X‖₂²
 * @param similarity N × N normalised inner products of the positions
 * @param atMiddle the similarity with the middle position as a function of distance
 * @param mean the same, averaged over all pairs
 */
public record EncodingAnalysis(
        Seam seam,
        Spectrum spectrum,
        double stableRank,
        double[][] similarity,
        DistanceCurve atMiddle,
        DistanceCurve mean) {

    /** The place where an encoding acts on a Transformer. */
    public enum Seam {
        /** Features, added to or concatenated with the tokens, or the input of a network. */
        EMBED,
        /** Turns queries and keys. */
        ROTATE,
        /** Adds to the attention scores. */
        BIAS,
        /** Changes nothing. */
        NONE
    }

    /** Copies the matrix. */
    public EncodingAnalysis {
        similarity = copy(similarity);
    }

    /**
     * Analyses features of positions.
     *
     * @param features initialised
     * @param positions (N), or (N, M) where the features take M coordinates
     * @param parameters gives the features' parameters
     * @return the analysis
     * @throws IllegalArgumentException if the positions do not suit the features
     */
    public static EncodingAnalysis of(
            PositionFeatures features, Positions positions, ParameterStore parameters) {
        try (NDManager scope = NDManager.subManagerOf(positions.array());
                Autograd.Scope off = Autograd.off()) {
            Positions own = in(scope, positions);
            NDArray rows = features.features(own, parameters, false); // (N, D)
            return ofRows(Seam.EMBED, rows, points(own, features.positionDimension()));
        }
    }

    /**
     * Analyses an encoding in a Transformer.
     *
     * @param encoding initialised
     * @param site the Transformer
     * @param positions (N)
     * @param type of the tokens that it is asked with, float32 or float64
     * @param parameters gives the encoding's parameters
     * @return the analysis
     * @throws IllegalArgumentException if the positions do not suit the encoding
     */
    public static EncodingAnalysis of(
            PositionalEncoding encoding,
            Site site,
            Positions positions,
            DataType type,
            ParameterStore parameters) {
        try (NDManager scope = NDManager.subManagerOf(positions.array());
                Autograd.Scope off = Autograd.off()) {
            Positions own = in(scope, positions);
            double[][] points = points(own, 1);
            long n = points.length;
            NDArray tokens = scope.zeros(new Shape(1, n, site.embeddingSize()), type);
            NDArray embedded = encoding.embed(tokens, own, parameters, false); // (1, N, E)
            if (embedded != tokens) {
                return ofRows(Seam.EMBED, embedded, points);
            }
            LayerContext context = new LayerContext(0, tokens, parameters, false);
            Shape heads = new Shape(1, site.heads(), n, site.headDimension());
            NDArray query = Scalars.mul(scope.ones(heads, type), Math.sqrt(0.5));
            NDArray pairs = encoding.products(query, query, own, own, context); // (1, H, N, N)
            if (pairs != null) {
                NDArray wide = pairs.toType(DataType.FLOAT64, false);
                NDArray sum = wide.sum(new int[] {1}); // (1, N, N)
                return ofKernel(Seam.ROTATE, normalised(ordered(sum, own, site.causal())), points);
            }
            NDArray queries = encoding.rotateQueries(query, own, context); // (1, H, N, D)
            NDArray keys = encoding.rotateKeys(query, own, context); // (1, H, N, D)
            if (queries != query || keys != query) {
                return queries.contentEquals(keys)
                        ? ofRows(Seam.ROTATE, headRows(queries), points)
                        : ofKernel(
                                Seam.ROTATE,
                                normalised(ordered(products(queries, keys), own, site.causal())),
                                points);
            }
            NDArray zeros = query.zerosLike();
            NDArray notes = encoding.keyNotes(tokens, own, context);
            NDArray bias = encoding.bias(zeros, zeros, own, own, context.withKeyNotes(notes));
            if (bias != null) {
                NDArray wide = bias.toType(DataType.FLOAT64, false);
                NDArray each = wide.reshape(-1, n, n); // (H, N, N)
                return ofKernel(Seam.BIAS, weights(ordered(each, own, site.causal())), points);
            }
            NDArray same = scope.ones(new Shape(n, 1), DataType.FLOAT64);
            return ofRows(Seam.NONE, same, points);
        }
    }

    /**
     * Returns how far from a position the similarity stays above 0.1.
     *
     * @return the half width of the curve at the middle position, in the positions' units
     */
    public double distancePreservation() {
        return atMiddle.halfWidth();
    }

    /**
     * Returns the similarity matrix.
     *
     * @return a copy, N × N
     */
    @Override
    public double[][] similarity() {
        return copy(similarity);
    }

    private static EncodingAnalysis ofRows(Seam seam, NDArray rows, double[][] points) {
        return new EncodingAnalysis(
                seam, Spectrum.of(rows), StableRank.of(rows), PositionSimilarity.of(rows), points);
    }

    private static EncodingAnalysis ofKernel(Seam seam, NDArray kernel, double[][] points) {
        double[] roots = SingularValues.of(kernel, false).sqrt().toDoubleArray();
        long n = points.length;
        Spectrum spectrum = new Spectrum(roots, n, n, Math.ulp(1.0));
        return new EncodingAnalysis(
                seam, spectrum, spectrum.stableRank(), PositionSimilarity.table(kernel), points);
    }

    private EncodingAnalysis(
            Seam seam,
            Spectrum spectrum,
            double stableRank,
            double[][] similarity,
            double[][] points) {
        this(
                seam,
                spectrum,
                stableRank,
                similarity,
                DistanceCurve.atMiddle(points, similarity),
                DistanceCurve.mean(points, similarity));
    }

    /** exp(b_mn − b_mm/2 − b_nn/2), the mean over heads of (H, N, N). */
    private static NDArray weights(NDArray bias) {
        NDArray own = Scalars.div(diagonals(bias), 2); // (H, N)
        return bias.sub(own.expandDims(2)).sub(own.expandDims(1)).exp().mean(new int[] {0});
    }

    /** (1, H, N, D) as (N, D) where all heads are alike, else (N, H·D). */
    private static NDArray headRows(NDArray x) {
        NDArray first = x.get(":, :1"); // (1, 1, N, D)
        NDArray distinct = x.contentEquals(first.broadcast(x.getShape())) ? first : x;
        return distinct.transpose(0, 2, 1, 3).reshape(x.getShape().get(2), -1);
    }

    /** q_m·k_n, summed over the heads of (1, H, N, D). */
    private static NDArray products(NDArray queries, NDArray keys) {
        NDArray q = queries.toType(DataType.FLOAT64, false).squeeze(0); // (H, N, D)
        NDArray k = keys.toType(DataType.FLOAT64, false).squeeze(0); // (H, N, D)
        return q.matMul(k.transpose(0, 2, 1)).sum(new int[] {0}, true); // (1, N, N)
    }

    /**
     * K_mn / √(K_mm K_nn), of (1, N, N). A position whose query is zero (the first, in log-n
     * scaling) is like none, itself included.
     */
    private static NDArray normalised(NDArray kernel) {
        NDArray norms = diagonals(kernel).abs().sqrt(); // (1, N)
        NDArray infinite = norms.onesLike().div(norms.zerosLike());
        NDArray safe = NDArrays.where(norms.gt(0), norms, infinite);
        return kernel.div(safe.expandDims(2)).div(safe.expandDims(1)).squeeze(0);
    }

    /** Where attention is causal, takes each pair with the later position as the query. */
    private static NDArray ordered(NDArray pairs, Positions positions, boolean causal) {
        if (!causal) {
            return pairs;
        }
        NDArray p = positions.real(DataType.FLOAT64);
        NDArray later =
                p.expandDims(1).gte(p.expandDims(0)).toType(DataType.FLOAT64, false); // (N, N)
        NDArray earlier = later.neg().add(1);
        return pairs.mul(later).add(pairs.transpose(0, 2, 1).mul(earlier)); // (H, N, N)
    }

    private static NDArray diagonals(NDArray square) {
        long n = square.getShape().get(1);
        NDArray identity = square.getManager().eye((int) n).toType(DataType.FLOAT64, false);
        return square.mul(identity).sum(new int[] {2});
    }

    /** Positions whose derived arrays are freed with the scope. */
    private static Positions in(NDManager scope, Positions positions) {
        NDArray own = positions.array().duplicate();
        own.attach(scope);
        return Positions.of(own);
    }

    private static double[][] points(Positions positions, int dimension) {
        double[] flat = positions.real(DataType.FLOAT64).toDoubleArray();
        double[][] points = new double[flat.length / dimension][];
        for (int i = 0; i < points.length; i++) {
            points[i] = Arrays.copyOfRange(flat, i * dimension, (i + 1) * dimension);
        }
        return points;
    }

    private static double[][] copy(double[][] matrix) {
        return Arrays.stream(matrix).map(double[]::clone).toArray(double[][]::new);
    }
}
