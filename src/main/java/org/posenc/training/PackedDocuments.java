package org.posenc.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.posenc.kernel.CrossEntropy;

/**
 * Documents in rows of one length, several short ones in a row where they fit: best-fit packing (<a
 * href="https://arxiv.org/abs/2404.10830">Ding et al. 2024</a>, §3), which cuts no document that a
 * row can hold.
 *
 * <p>A document of n tokens fills n − 1 places, each with the next token as its label; a longer one
 * than a row is cut, so that each token but its first is a label once. Positions begin with 0 in
 * each piece, and a token sees those of its own piece only. A piece without a label that counts is
 * left out. What is left of a row is filled with token 0 and labels {@link CrossEntropy#IGNORED}.
 */
public final class PackedDocuments {

    private final List<TokenDocument> documents;
    private final int length;
    private final List<List<Piece>> rows;
    private final long places;

    /** Some consecutive places of a document. */
    private record Piece(int document, int from, int places) {}

    /**
     * Packs documents.
     *
     * @param documents the documents; those of one token have no label and are left out
     * @param length T, places of a row, at least 1
     * @throws IllegalArgumentException if the length is smaller, or no document has a label
     */
    public PackedDocuments(List<TokenDocument> documents, int length) {
        if (length < 1) {
            throw new IllegalArgumentException("a row needs at least 1 place, got " + length);
        }
        this.documents = List.copyOf(documents);
        this.length = length;
        List<Piece> pieces = pieces();
        if (pieces.isEmpty()) {
            throw new IllegalArgumentException(
                    "there must be a token to learn that has another before it, got "
                            + documents.size()
                            + " documents without one");
        }
        places = pieces.stream().mapToLong(Piece::places).sum();
        rows = packed(pieces);
    }

    private List<Piece> pieces() {
        List<Piece> pieces = new ArrayList<>();
        for (int d = 0; d < documents.size(); d++) {
            int last = documents.get(d).length() - 1; // which is a label only
            for (int from = 0; from < last; from += length) {
                Piece piece = new Piece(d, from, Math.min(length, last - from));
                if (counts(piece)) {
                    pieces.add(piece);
                }
            }
        }
        return pieces;
    }

    private boolean counts(Piece piece) {
        int[] labels = documents.get(piece.document()).labels();
        return Arrays.stream(labels, piece.from() + 1, piece.from() + piece.places() + 1)
                .anyMatch(label -> label != CrossEntropy.IGNORED);
    }

    /** The longest piece first, each into the fullest row that has room for it. */
    private List<List<Piece>> packed(List<Piece> pieces) {
        pieces.sort(Comparator.comparingInt(Piece::places).reversed());
        List<List<Piece>> packed = new ArrayList<>();
        TreeMap<Integer, Deque<List<Piece>>> byRoom = new TreeMap<>();
        for (Piece piece : pieces) {
            Map.Entry<Integer, Deque<List<Piece>>> fits = byRoom.ceilingEntry(piece.places());
            List<Piece> row;
            int room = length;
            if (fits == null) {
                row = new ArrayList<>();
                packed.add(row);
            } else {
                row = fits.getValue().poll();
                room = fits.getKey();
                if (fits.getValue().isEmpty()) {
                    byRoom.remove(room);
                }
            }
            row.add(piece);
            int left = room - piece.places();
            if (left > 0) {
                byRoom.computeIfAbsent(left, key -> new ArrayDeque<>()).add(row);
            }
        }
        return packed;
    }

    /**
     * Returns how many rows there are.
     *
     * @return at least 1
     */
    public int rows() {
        return rows.size();
    }

    /**
     * Returns the places of a row.
     *
     * @return T
     */
    public int length() {
        return length;
    }

    /**
     * Returns how much of the rows holds tokens.
     *
     * @return a share in (0, 1]
     */
    public double filled() {
        return (double) places / ((long) rows.size() * length);
    }

    /**
     * Returns whether documents share rows, whose tokens are then kept from each other by a mask.
     *
     * @return whether any row has several
     */
    public boolean shared() {
        return rows.stream().anyMatch(row -> row.size() > 1);
    }

    /**
     * Returns some rows.
     *
     * @param numbers which, each in [0, {@link #rows})
     * @return the rows, in this order
     */
    public Rows rows(int... numbers) {
        Rows chosen = new Rows(numbers.length, length);
        for (int row = 0; row < numbers.length; row++) {
            int at = row * length;
            int number = 0;
            for (Piece piece : rows.get(numbers[row])) {
                chosen.fill(at, piece, documents.get(piece.document()), number++);
                at += piece.places();
            }
            Arrays.fill(chosen.documents, at, (row + 1) * length, number);
            chosen.several |= number > 1;
        }
        return chosen;
    }

    /** Rows of tokens, to be made arrays of. */
    public static final class Rows {

        private final Shape shape;
        private final long[] ids;
        private final long[] labels;
        private final long[] positions;
        private final long[] documents;
        private boolean several;
        private int tokens;

        private Rows(int rows, int length) {
            shape = new Shape(rows, length);
            ids = new long[rows * length];
            labels = new long[ids.length];
            Arrays.fill(labels, CrossEntropy.IGNORED);
            positions = new long[ids.length];
            documents = new long[ids.length];
        }

        private void fill(int at, Piece piece, TokenDocument document, int number) {
            for (int i = 0; i < piece.places(); i++) {
                ids[at + i] = document.ids()[piece.from() + i];
                labels[at + i] = document.labels()[piece.from() + i + 1];
                positions[at + i] = i;
                documents[at + i] = number;
            }
            tokens += piece.places();
        }

        /**
         * Returns how many places hold a token.
         *
         * @return those that are not filled up
         */
        public int tokens() {
            return tokens;
        }

        /**
         * Returns how many labels count.
         *
         * @return those that are not {@link CrossEntropy#IGNORED}
         */
        public int scored() {
            return (int) Arrays.stream(labels).filter(y -> y != CrossEntropy.IGNORED).count();
        }

        /**
         * Returns what a Transformer takes: ids (B, T), and where a row holds several documents
         * also positions (B, T) and documents (B, T), int64. Without these a token stands in its
         * place of the row and sees all before it, which is the same and cheaper.
         *
         * @param manager owns the arrays
         * @return one array or three
         */
        public NDList data(NDManager manager) {
            NDList data = new NDList(manager.create(ids, shape));
            if (several) {
                data.add(manager.create(positions, shape));
                data.add(manager.create(documents, shape));
            }
            return data;
        }

        /**
         * Returns what is to be said.
         *
         * @param manager owns the array
         * @return (B, T), int64
         */
        public NDArray labels(NDManager manager) {
            return manager.create(labels, shape);
        }
    }
}
