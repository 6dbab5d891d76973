import COpenMPI
import Collectives

/// Turns the return code of `call` into an error with the library's own words (MPI 3.1, section 8.4).
func check(_ code: Int32, _ call: String) throws(CommunicationError) {
    guard code != MPI_SUCCESS else { return }
    throw CommunicationError(call: call, reason: text(of: code))
}

private func text(of code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: Int(MPI_MAX_ERROR_STRING) + 1)
    var length: Int32 = 0
    guard unsafe MPI_Error_string(code, &buffer, &length) == MPI_SUCCESS else { return "error code \(code)" }
    return String(decoding: buffer.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// `count` as MPI's `int`, or an error that names the limit.
func int32Count(_ count: Int, _ call: String) throws(CommunicationError) -> Int32 {
    guard let exact = Int32(exactly: count), exact >= 0 else {
        throw CommunicationError(call: call, reason: "a count of \(count) does not fit MPI's 31 bits")
    }
    return exact
}
