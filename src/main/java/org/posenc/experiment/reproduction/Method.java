package org.posenc.experiment.reproduction;

/**
 * What stands behind an encoding in the follow-up.
 *
 * @param kind how coordinates' features meet, and how weights are found
 * @param depth hidden layers; 0 where weights are solved for
 */
record Method(Kind kind, int depth) {

    /** How coordinates' features meet, and how weights are found. */
    enum Kind {
        /** Features side by side, trained. */
        SIMPLE,
        /** Their Kronecker product, trained. */
        COMPLEX,
        /** Their Kronecker product, one linear map that is solved for. */
        SOLVED
    }

    static Method simple(int depth) {
        return new Method(Kind.SIMPLE, depth);
    }

    static Method complex(int depth) {
        return new Method(Kind.COMPLEX, depth);
    }

    static Method solved() {
        return new Method(Kind.SOLVED, 0);
    }

    /** Returns its name in tables and figures. */
    String label() {
        return switch (kind) {
            case SIMPLE -> "simple, depth " + depth;
            case COMPLEX -> "complex, depth " + depth;
            case SOLVED -> "complex, solved";
        };
    }
}
