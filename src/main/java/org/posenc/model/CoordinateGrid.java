package org.posenc.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.List;
import org.posenc.encoding.Positions;

/** A grid made of what stands along its axes. */
final class CoordinateGrid {

    private CoordinateGrid() {}

    /**
     * Returns all points.
     *
     * @param axes M vectors of coordinates (N_m)
     * @return (N_0, …, N_{M−1}, M)
     */
    static Positions points(List<Positions> axes) {
        Shape sides = new Shape(axes.stream().mapToLong(Positions::length).toArray());
        NDList coordinates = new NDList();
        for (int m = 0; m < axes.size(); m++) {
            coordinates.add(placed(axes.get(m).array(), m, axes.size()).broadcast(sides));
        }
        return Positions.of(NDArrays.stack(coordinates, -1));
    }

    /**
     * Returns s[n₀, n₁, …] = Σ_m x_m[n_m].
     *
     * @param x M arrays (N_m, U)
     * @return (N_0, …, N_{M−1}, U), in the first one's manager
     */
    static NDArray sum(List<NDArray> x) {
        NDArray sum;
        try (NDScope temporaries = new NDScope()) {
            sum = placed(x.get(0), 0, x.size());
            for (int m = 1; m < x.size(); m++) {
                sum = sum.add(placed(x.get(m), m, x.size()));
            }
            NDScope.unregister(sum);
        }
        NDScope.register(sum); // with the scope of the caller, if he has one
        return sum;
    }

    /** Puts the first axis of an array at place m of M, where the others have the length 1. */
    private static NDArray placed(NDArray array, int m, int axes) {
        long[] sides = new long[axes];
        Arrays.fill(sides, 1);
        sides[m] = array.getShape().get(0);
        return array.reshape(new Shape(sides).addAll(array.getShape().slice(1)));
    }
}
