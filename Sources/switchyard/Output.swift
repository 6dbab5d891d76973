import Diagnostics
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Writes `bytes` to standard output at once.
/// - Throws: `inputOutput` if it is closed or full
func writeOutput(_ bytes: [UInt8]) throws(Failure) {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = unsafe rest.withUnsafeBytes { unsafe write(1, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else {
            throw Failure(.inputOutput, "cannot write to standard output: \(systemError())")
        }
        rest = rest.dropFirst(count)
    }
}

/// One line of JSON on standard output.
/// - Parameter snakeCase: whether the names of properties become keys in snake_case
func printJSON(_ value: some Encodable, snakeCase: Bool = false) throws {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = snakeCase ? .convertToSnakeCase : .useDefaultKeys
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
}

/// Writes a text file whole, making the directories on the way.
func writeText(_ text: String, to file: String) throws {
    let place = URL(fileURLWithPath: file)
    do {
        try FileManager.default.createDirectory(
            at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: place, options: .atomic)
    } catch {
        throw Failure(.cannotCreate, "cannot write \(file): \(error.localizedDescription)")
    }
}
