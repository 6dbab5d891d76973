import ArgumentParser
import CPlatform
import Diagnostics
import Foundation
import Platform
import RunFormat

/// Standard output. Every command's result goes through here, unbuffered, and every write is checked: a result that could
/// not be written is a failure, and a reader that has gone ends the program without a message.
enum StandardOutput {
    /// Makes sure that descriptors 0 to 2 are taken, so that no file that is opened later gets one of their numbers and
    /// is written to as if it was standard output.
    static func reserve() { platform_reserve_standard_descriptors() }

    /// - Throws: `inputOutput` if the text cannot be written; `ExitCode` where nobody reads any more
    static func write(_ text: String, terminator: String = "\n") throws {
        try write(bytes: Array((text + terminator).utf8))
    }

    /// - Throws: as `write(_:terminator:)`
    static func write(bytes: [UInt8]) throws {
        let error = unsafe bytes.withUnsafeBytes { all in
            unsafe platform_write_all(1, all.baseAddress, all.count)
        }
        guard error == 0 else { throw failure(error) }
    }

    /// Some file systems report only on closing that a file could not be written. Once, after all output.
    static func close() throws {
        let error = platform_close_output()
        guard error == 0 else { throw failure(error) }
    }

    private static func failure(_ error: Int32) -> any Error {
        if error == EPIPE { return ExitCode(ExitStatus.brokenPipe.rawValue) }
        return Failure(
            .inputOutput, "cannot write to standard output: \(unsafe String(cString: strerror(error)))",
            advice: "the result is incomplete; make room or send it elsewhere, then start the same command again")
    }
}

/// One line of JSON on standard output.
/// - Parameter snakeCase: whether the names of properties become keys in snake_case
func printJSON(_ value: some Encodable, snakeCase: Bool = false) throws {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = snakeCase ? .convertToSnakeCase : .useDefaultKeys
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .ofRecords
    try StandardOutput.write(String(decoding: try encoder.encode(value), as: UTF8.self))
}

/// Refuses a number of threads that no machine has.
func requireThreads(_ count: Int, _ option: String = "--threads") throws {
    try require(count, in: 1...1024, option)
}

/// Refuses a number on the command line that is outside of what is allowed.
func require(_ count: Int, in range: ClosedRange<Int>, _ option: String) throws {
    guard range.contains(count) else {
        throw ValidationError("\(option) is \(count); allowed are \(range.lowerBound) to \(range.upperBound)")
    }
}

/// Writes a text file whole, making the directories on the way.
func writeText(_ text: String, to file: String) throws {
    try makeDirectory(splitPath(file).parent, advice: "write to another place")
    try replaceFile(file, with: Array(text.utf8))
}
