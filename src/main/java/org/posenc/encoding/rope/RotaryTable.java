package org.posenc.encoding.rope;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.core.Embedding;
import java.lang.ref.Cleaner;
import java.lang.ref.WeakReference;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.posenc.encoding.DeviceConstant;
import org.posenc.encoding.Positions;
import org.posenc.kernel.Autograd;

/**
 * Cosines and sines of one set of frequencies, kept from pass to pass for the positions 0, 1, 2, …
 * and shared by everything that has the same frequencies and precision.
 *
 * <p>There is a table for each device and type. It doubles when a pass goes beyond it, up to 64
 * MiB. Negative and real positions, those of small types, positions far beyond the table, and those
 * on a GPU whose bounds only the GPU knows, are computed directly, with the same numbers. A table
 * is no parameter: it is never trained, saved or cast, and its memory is freed when no encoding has
 * it any more.
 */
final class RotaryTable {

    private static final long MOST_BYTES = 64L << 20;
    private static final long FIRST = 256;

    /** What rows of a table can be looked up by. */
    private static final Set<DataType> INDICES = EnumSet.of(DataType.INT32, DataType.INT64);

    private static final Cleaner CLEANER = Cleaner.create();

    private record Source(RopeFrequencies frequencies, RopePrecision precision) {}

    private record Place(Device device, DataType type) {}

    private static final Map<Source, WeakReference<RotaryTable>> SHARED = new ConcurrentHashMap<>();

    private final RopePrecision precision;
    private final int pairs;
    private final DeviceConstant inverse;
    private final DeviceConstant scaling; // null for 1
    private final Map<Place, NDArray> copies = new ConcurrentHashMap<>(); // (positions, d)

    private RotaryTable(Source source) {
        precision = source.precision();
        pairs = source.frequencies().pairs();
        inverse = new DeviceConstant(source.frequencies().inverse());
        double a = source.frequencies().attentionScaling();
        scaling = a == 1 ? null : new DeviceConstant(a);
    }

    /** Returns the table of these frequencies, the same one to all who ask while one has it. */
    static RotaryTable of(RopeFrequencies frequencies, RopePrecision precision) {
        Source source = new Source(frequencies, precision);
        synchronized (SHARED) {
            WeakReference<RotaryTable> known = SHARED.get(source);
            RotaryTable table = known == null ? null : known.get();
            if (table == null) {
                table = new RotaryTable(source);
                WeakReference<RotaryTable> reference = new WeakReference<>(table);
                SHARED.put(source, reference);
                Map<Place, NDArray> owned = table.copies;
                CLEANER.register(
                        table,
                        () -> {
                            SHARED.remove(source, reference);
                            owned.values().forEach(NDArray::close);
                        });
            }
            return table;
        }
    }

    /** How many sets of frequencies have a table. */
    static int shared() {
        return SHARED.size();
    }

    /**
     * Returns the waves of positions.
     *
     * @param positions (T) or (B, T), of any type
     * @param type float32 or float64
     * @return (…, T, d/2, 2), in the positions' manager
     */
    NDArray waves(Positions positions, DataType type) {
        if (INDICES.contains(positions.array().getDataType()) && positions.knowBounds()) {
            NDArray found = found(positions, type);
            if (found != null) {
                try (found) {
                    Shape tokens = positions.array().getShape();
                    return found.reshape(tokens.addAll(new Shape(pairs, 2)));
                }
            }
        }
        return RotaryWaves.to(type, computed(positions.real(RotaryWaves.type(precision))));
    }

    /** Rows (…, T, d) of the table, or {@code null} where it does not reach. */
    private synchronized NDArray found(Positions positions, DataType type) {
        NDArray p = positions.array();
        Positions.Bounds bounds = positions.bounds();
        long from = (long) bounds.least();
        long to = (long) bounds.greatest() + 1;
        if (from < 0) {
            return null;
        }
        NDArray table = upTo(to, p.size(), new Place(p.getDevice(), type));
        if (table == null) {
            return null;
        }
        return positions.areConsecutive()
                ? table.get(p.getManager(), new NDIndex().addSliceDim(from, to))
                : Embedding.embedding(p, table, SparseFormat.DENSE).singletonOrThrow();
    }

    /**
     * The table, grown so that it has positions up to an end; {@code null} where that is too many,
     * or many times as many as are there or asked for.
     */
    private NDArray upTo(long end, long asked, Place place) {
        NDArray known = copies.get(place);
        long held = known == null ? 0 : known.getShape().get(0);
        if (end <= held) {
            return known;
        }
        long most = MOST_BYTES / (2L * pairs * place.type().getNumOfBytes());
        if (end > most || end > 2 * Math.max(held, Math.max(FIRST, asked))) {
            return null;
        }
        long size = FIRST;
        while (size < end) {
            size *= 2;
        }
        NDArray grown = grown(known, held, Math.min(size, most), place);
        copies.put(place, grown);
        if (known != null) {
            known.close(); // what was cut from it shares its memory, which lives on
        }
        return grown;
    }

    private NDArray grown(NDArray known, long from, long to, Place place) {
        try (Autograd.Scope off = Autograd.off();
                NDManager temporary = NDManager.newBaseManager(place.device(), "PyTorch")) {
            DataType exact = RotaryWaves.type(precision);
            NDArray places = temporary.arange((int) from, (int) to, 1, exact);
            NDArray rows =
                    RotaryWaves.to(place.type(), computed(places)).reshape(to - from, 2L * pairs);
            NDArray all = known == null ? rows : NDArrays.concat(new NDList(known, rows));
            all.detach();
            NDScope.unregister(all);
            return all;
        }
    }

    private NDArray computed(NDArray places) {
        DataType type = places.getDataType();
        return RotaryWaves.of(
                places,
                inverse.beside(places, type),
                scaling == null ? null : scaling.beside(places, type));
    }
}
