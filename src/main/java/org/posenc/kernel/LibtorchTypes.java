package org.posenc.kernel;

import ai.djl.ndarray.types.DataType;

/** libtorch's numbers for the data types that may pass, as TorchScript's text names them. */
final class LibtorchTypes {

    private LibtorchTypes() {}

    static int number(DataType type) {
        TorchScript.checkType(type);
        return switch (type) {
            case UINT8 -> 0;
            case INT8 -> 1;
            case INT32 -> 3;
            case INT64 -> 4;
            case FLOAT16 -> 5;
            case FLOAT32 -> 6;
            case FLOAT64 -> 7;
            case BOOLEAN -> 11;
            default -> throw new IllegalArgumentException("no libtorch type for " + type);
        };
    }

    /** The type to compute in: half precision is widened, everything else stays. */
    static DataType wide(DataType type) {
        return type == DataType.FLOAT16 ? DataType.FLOAT32 : type;
    }
}
