import Compression
import Diagnostics

/// What is wrong with a part of a Parquet file; where that is, who reads the part adds.
struct ParquetError: Error {
    /// Completes "FILE: ".
    var complaint: String
    var advice: String?
    /// Whether more bytes behind the ones that were read could make the difference.
    var isEndOfInput = false

    /// The file does not keep to its format.
    static func damaged(_ complaint: String) -> ParquetError {
        ParquetError(complaint: complaint, advice: "it is damaged: copy it again")
    }

    /// The file is in order, but uses what is not read.
    static func unsupported(_ complaint: String, advice: String? = nil) -> ParquetError {
        ParquetError(complaint: complaint, advice: advice ?? rewrite("compression='zstd'"))
    }

    /// - Parameter options: of `pyarrow.parquet.write_table`
    static func rewrite(_ options: String) -> String {
        "write it again, for example with pyarrow: pq.write_table(pq.read_table(FILE), NEW, \(options))"
    }

    init(complaint: String, advice: String?, isEndOfInput: Bool = false) {
        self.complaint = complaint
        self.advice = advice
        self.isEndOfInput = isEndOfInput
    }

    init(_ error: DecompressionError) { self.init(complaint: "a page: \(error.complaint)", advice: error.advice) }

    /// - Parameter place: where in which file, for example `a.parquet: row group 3`
    func failure(at place: String) -> Failure { Failure(.data, "\(place): \(complaint)", advice: advice) }
}
