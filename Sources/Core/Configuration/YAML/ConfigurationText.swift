package import Diagnostics
import Foundation
import Platform

/// The text of a file with keys and values: a configuration or a study.
/// - Parameters:
///   - path: of the file
///   - kind: what it is, for messages
///   - advice: where to find one; nil: none
/// - Throws: `noInput` if it is not there or not readable, `configuration` if it is not UTF-8
package func configurationText(
    of path: String, _ kind: String, advice: String? = nil
) throws(Failure) -> String {
    guard fileExists(path) else { throw Failure(.noInput, "there is no \(kind) \(path)", advice: advice) }
    guard let text = String(bytes: try RegularFile(path).contents(limit: 1 << 24), encoding: .utf8) else {
        throw Failure(.configuration, "\(path) is not UTF-8 text")
    }
    return text
}
