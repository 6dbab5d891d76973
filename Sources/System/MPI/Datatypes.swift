import COpenMPI
import Collectives

extension ExchangeKind {
    /// MPI's predefined datatype for the element type (MPI 3.1, table 3.2).
    var datatype: MPI_Datatype {
        switch self {
        case .float: unsafe shim_float()
        case .double: unsafe shim_double()
        case .int32: unsafe shim_int32()
        case .int64: unsafe shim_int64()
        case .uint64: unsafe shim_uint64()
        }
    }
}

/// Contiguous rows as one datatype each, so that counts and displacements on the wire are rows; one
/// datatype per row length, kept until MPI ends.
@safe struct RowDatatypes {
    private var known: [Int: MPI_Datatype] = unsafe [:]

    mutating func row(bytes: Int) throws(CommunicationError) -> MPI_Datatype {
        if let datatype = unsafe known[bytes] { return unsafe datatype }
        var datatype: MPI_Datatype?
        try check(
            unsafe MPI_Type_contiguous(int32Count(bytes, "MPI_Type_contiguous"), shim_byte(), &datatype),
            "MPI_Type_contiguous")
        try check(unsafe MPI_Type_commit(&datatype), "MPI_Type_commit")
        guard let datatype = unsafe datatype else {
            throw CommunicationError(call: "MPI_Type_commit", reason: "gave no datatype")
        }
        unsafe known[bytes] = unsafe datatype
        return unsafe datatype
    }
}
