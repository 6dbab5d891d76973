import Data
package import Diagnostics
import Platform
package import Tensors

/// A tensor that a safetensors file will hold, float32.
package struct SafetensorsEntry: Sendable, Equatable {
    package var name: String
    package var shape: [Int]

    package init(name: String, shape: [Int]) {
        self.name = name
        self.shape = shape
    }

    package var count: Int { shape.reduce(1, *) }
    package var bytes: Int { 4 * count }
}

/// Writes a safetensors file tensor by tensor: the length of the header (u64), the header (JSON, padded with blanks to a
/// multiple of 8), then the numbers, little-endian, row-major, in the order of the header.
///
/// Tensors lie in the order of their names and the header is spelt as the `safetensors` library spells it, so that the
/// same tensors give the same file there and here.
package final class SafetensorsWriter {
    private let file: AtomicFile
    private var expected: [SafetensorsEntry]
    private var missing = 0

    /// - Parameter entries: in any order; `write` wants them in the order of their names
    package init(_ path: String, _ entries: [SafetensorsEntry]) throws(Failure) {
        expected = Self.ordered(entries).reversed()
        file = try AtomicFile(path)
        let header = Self.header(entries)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
        try file.append(length.span)
        try file.append(header.span)
    }

    /// By the bytes of their names.
    package static func ordered(_ entries: [SafetensorsEntry]) -> [SafetensorsEntry] {
        entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    static func header(_ entries: [SafetensorsEntry]) -> [UInt8] {
        var parts = [#""__metadata__":{"format":"pt"}"#]
        var offset = 0
        for entry in ordered(entries) {
            let shape = entry.shape.map(String.init).joined(separator: ",")
            let end = offset + entry.bytes
            parts.append(#""\#(entry.name)":{"dtype":"F32","shape":[\#(shape)],"data_offsets":[\#(offset),\#(end)]}"#)
            offset = end
        }
        let text = Array("{\(parts.joined(separator: ","))}".utf8)
        return text + [UInt8](repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
    }

    /// Begins the next tensor; its numbers follow in any number of pieces.
    package func begin(_ name: String) throws(Failure) {
        guard missing == 0, let entry = expected.popLast(), entry.name == name else {
            throw Failure(.software, "\(file.path): \(name) is written out of turn")
        }
        missing = entry.count
    }

    package func append(_ values: Vector<Float>) throws(Failure) {
        guard values.count <= missing else { throw Failure(.software, "\(file.path): a tensor has too many numbers") }
        missing -= values.count
        // The file's buffer takes a piece whole, so pieces are small.
        let piece = 1 << 18
        for start in stride(from: 0, to: values.count, by: piece) {
            try file.append(values[start..<min(start + piece, values.count)].span)
        }
    }

    /// Gives the file its name.
    package func finish() throws(Failure) {
        guard missing == 0, expected.isEmpty else {
            throw Failure(.software, "\(file.path): \(expected.count) tensors were not written")
        }
        try file.commit()
    }
}
