package import Diagnostics
import Platform

/// Reads the contents of a compressed file in order. This takes memory for two buffers and the window of the format.
package final class CompressedFile {
    private static let bufferSize = 1 << 18

    private let file: RegularFile
    private let format: FileCompression
    private let decoder: any StreamDecoder
    private var limit: ExpansionLimit
    /// The bytes of the file that were read last: `used` of these `available` ones are decompressed.
    private var input = [UInt8](repeating: 0, count: bufferSize)
    private var used = 0
    private var available = 0
    /// Where the next bytes of the file are.
    private var filled = 0
    private var output = [UInt8](repeating: 0, count: bufferSize)

    /// - Throws: `noInput` if `path` cannot be opened or is no regular file, `unavailable` if there is no memory for a decoder
    package init(_ path: String, _ format: FileCompression) throws(Failure) {
        file = try RegularFile(path)
        self.format = format
        limit = ExpansionLimit(of: path, stored: file.size)
        do throws(DecompressionError) {
            decoder = try format.makeDecoder()
        } catch {
            throw Failure(.unavailable, "\(path): \(error.complaint)", advice: error.advice)
        }
    }

    /// How many of the file's bytes have been decompressed.
    package var position: Int { filled - available + used }

    /// Appends at most `count` bytes to `bytes`: some, unless the contents are at their end.
    /// - Returns: how many
    /// - Throws: `data` for a file that is damaged, ends too early or becomes far more than text does, `inputOutput` if it cannot
    ///   be read
    package func read(upTo count: Int, into bytes: inout [UInt8]) throws(Failure) -> Int {
        let room = min(count, Self.bufferSize)
        while true {
            if used == available { try fill() }
            let (taken, written) = try decode(room)
            used += taken
            if written > 0 {
                try limit.add(written)
                bytes.append(contentsOf: output[..<written])
                return written
            }
            if taken == 0, available == 0 || used < available {
                guard decoder.isComplete, available == 0 else { throw truncated }
                return 0
            }
        }
    }

    private func decode(_ room: Int) throws(Failure) -> (used: Int, written: Int) {
        let input = input
        do throws(DecompressionError) {
            return try decoder.decode(input.span.extracting(used..<available), into: &output, 0..<room)
        } catch {
            throw Failure(.data, "\(file.path): \(error.complaint), before byte \(filled)", advice: error.advice)
        }
    }

    private func fill() throws(Failure) {
        let count = min(Self.bufferSize, file.size - filled)
        (used, available) = (0, 0)
        guard count > 0 else { return }
        input = try file.bytes(from: filled, to: filled + count)
        available = count
        filled += count
    }

    private var truncated: Failure {
        Failure(
            .data, "\(file.path) is truncated: its \(format.name) data do not end with its last byte, \(file.size)",
            advice: "copy it again")
    }
}
