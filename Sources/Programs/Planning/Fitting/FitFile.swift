import Diagnostics
import Foundation

extension FitRecord {
    /// The text of a file that `plan --law` reads.
    package var fileText: String {
        get throws(Failure) {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
            do {
                return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
            } catch {
                throw Failure(.software, "the fit cannot be encoded: \(error)")
            }
        }
    }
}
