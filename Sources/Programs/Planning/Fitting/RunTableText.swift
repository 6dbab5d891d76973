package import Diagnostics
import Platform

/// The text of a table of runs.
/// - Throws: `noInput` if `path` is no regular file, `data` if it is no text of at most 64 MB
package func runTableText(_ path: String) throws(Failure) -> String {
    let advice = "runs are a .csv file in UTF-8 or run directories"
    let file = try RegularFile(path), limit = 1 << 26
    guard file.size <= limit else {
        throw Failure(.data, "\(path) has \(file.size) bytes; a table of runs has at most \(limit)", advice: advice)
    }
    let bytes = try file.contents(limit: limit)
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
        throw Failure(
            .data, "\(path) is UTF-16 text", advice: "convert it: iconv -f UTF-16 -t UTF-8 FILE > runs.csv")
    }
    if let zero = bytes.firstIndex(of: 0) {
        throw Failure(.data, "\(path) is no text: byte \(zero) is zero", advice: advice)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw Failure(.data, "\(path) is no UTF-8 text", advice: advice)
    }
    return text
}
