import Diagnostics
import Platform
import Tensors

/// The table of contents of a checkpoint and what each file must be to the bit (docs/checkpoint-format.md, "The
/// manifest"). Its last line is the SHA-256 of the bytes above, so it vouches for itself and then for everything else.
package struct Manifest: Sendable, Equatable {
    package static let version = 1
    static let fileName = "manifest"
    /// No manifest is larger; a bound for reading what may be anything.
    static let limit = 1 << 26

    package var step: Int
    package var files: [File]
    package var tensors: [StoredTensor]

    package struct File: Sendable, Equatable {
        package var name: String
        package var digest: FileDigest
    }

    /// Bytes of all files together, without the manifest's own.
    package var bytesOfFiles: Int { files.reduce(0) { $0 + $1.digest.bytes } }

    /// The manifest as a file.
    var bytes: [UInt8] {
        var lines = ["switchyard checkpoint \(Self.version)", "step \(step)"]
        lines += files.map { "file \($0.digest.bytes) \($0.digest.sha256) \($0.name)" }
        for tensor in tensors {
            lines.append("tensor float32 \(text(tensor.shape)) \(hexadecimal(tensor.digest)) \(tensor.name)")
            lines += tensor.pieces.map {
                "piece \($0.file) \($0.byteOffset) \(text($0.rectangle.offset)) \(text($0.rectangle.shape)) \($0.dataset)"
            }
        }
        let body = Array((lines.joined(separator: "\n") + "\n").utf8)
        return body + Array("sha256 \(SHA256.digest(of: body))\n".utf8)
    }

    /// - Parameter bytes: the whole file
    /// - Throws: what is wrong with it; damage is told from a version this program does not know
    init(bytes: [UInt8], path: String) throws(Failure) {
        // "sha256 " + 64 digits + newline
        let body = bytes.dropLast(72), last = bytes.suffix(72)
        guard body.last == 0x0A, Array(last) == Array("sha256 \(SHA256.digest(of: Array(body)))\n".utf8) else {
            throw Failure(.data, "\(path) is damaged: its last line is not the SHA-256 of the lines above")
        }
        // Bytes are split, not text: a carriage return before the newline must not join two lines.
        var lines = body.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false).lazy
            .map { Substring(decoding: $0, as: UTF8.self) }[...]
        self.init(step: 0, files: [], tensors: [])
        try Self.checkVersion(lines.popFirst() ?? "", path)
        guard let line = lines.popFirst(), let step = Self.value(of: "step", in: line) else {
            throw Failure(.data, "\(path), line 2: expected `step NUMBER`")
        }
        self.step = step
        for (number, line) in lines.enumerated() {
            guard add(line.split(separator: " ", omittingEmptySubsequences: false)) else {
                throw Failure(.data, "\(path), line \(number + 3): `\(line.prefix(120))` is no line of a manifest")
            }
        }
        try checkConsistency(path)
    }

    package init(step: Int, files: [File], tensors: [StoredTensor]) {
        self.step = step
        self.files = files
        self.tensors = tensors
    }

    private static func checkVersion(_ line: Substring, _ path: String) throws(Failure) {
        guard let found = value(of: "switchyard checkpoint", in: line) else {
            throw Failure(.data, "\(path) does not begin with `switchyard checkpoint VERSION`")
        }
        guard found <= version else {
            throw Failure(
                .data, "\(path) is of format version \(found); this program reads versions up to \(version)",
                advice: "use a newer switchyard")
        }
    }

    private static func value(of key: String, in line: Substring) -> Int? {
        line.hasPrefix(key + " ") ? naturalNumber(line.dropFirst(key.count + 1)) : nil
    }

    private mutating func add(_ words: [Substring]) -> Bool {
        switch words.first {
        case "file" where words.count == 4:
            guard let bytes = naturalNumber(words[1]), words[2].utf8.count == 64, Self.isFileName(words[3]) else {
                return false
            }
            let digest = FileDigest(bytes: bytes, sha256: String(words[2]))
            files.append(File(name: String(words[3]), digest: digest))
        case "tensor" where words.count == 5:
            guard words[1] == "float32", let shape = extents(words[2]), elements(shape) != nil,
                words[3].utf8.count == 16,
                let digest = UInt64(words[3], radix: 16), TensorName.isValid(String(words[4]))
            else { return false }
            tensors.append(StoredTensor(name: String(words[4]), shape: shape, digest: digest, pieces: []))
        case "piece" where words.count == 6:
            guard let file = naturalNumber(words[1]), let byte = naturalNumber(words[2]),
                let offset = extents(words[3]), let shape = extents(words[4]), elements(shape) != nil, !tensors.isEmpty
            else { return false }
            tensors[tensors.count - 1].pieces.append(
                StoredShard(
                    file: file, byteOffset: byte, rectangle: Rectangle(offset: offset, shape: shape),
                    dataset: String(words[5])))
        default: return false
        }
        return true
    }

    /// A name in the directory itself; never a way out of it.
    static func isFileName(_ name: some StringProtocol) -> Bool {
        !name.isEmpty && name.utf8.count <= 255 && !name.hasPrefix(".")
            && name.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x2F } && name != fileName
    }

    /// The lines fit together: every piece lies in its tensor and its file, pieces cover tensors exactly.
    private func checkConsistency(_ path: String) throws(Failure) {
        guard Set(files.map(\.name)).count == files.count, Set(tensors.map(\.name)).count == tensors.count else {
            throw Failure(.data, "\(path) names a file or a tensor twice")
        }
        try checkPlaces(path)
        for tensor in tensors {
            guard tensor.shape.allSatisfy({ $0 > 0 }), Rectangle.tile(tensor.pieces.map(\.rectangle), tensor.shape)
            else { throw Failure(.data, "\(path): the pieces of \(tensor.name) do not make it up") }
        }
    }

    /// Every piece lies in its file and has its bytes for itself, so that tensors are no larger than the files they are in.
    private func checkPlaces(_ path: String) throws(Failure) {
        var taken: [(file: Int, bytes: Range<Int>, tensor: Int)] = []
        for (number, tensor) in tensors.enumerated() {
            for piece in tensor.pieces where piece.rectangle.shape.allSatisfy({ $0 > 0 }) {
                let end = piece.byteOffset + 4 * piece.rectangle.count
                guard piece.file < files.count, end <= files[piece.file].digest.bytes else {
                    throw Failure(.data, "\(path): the pieces of \(tensor.name) do not make it up: one lies in no file")
                }
                taken.append((piece.file, piece.byteOffset..<end, number))
            }
        }
        taken.sort { ($0.file, $0.bytes.lowerBound) < ($1.file, $1.bytes.lowerBound) }
        for (one, next) in zip(taken, taken.dropFirst())
        where one.file == next.file && one.bytes.upperBound > next.bytes.lowerBound {
            let names = "\(tensors[one.tensor].name) and \(tensors[next.tensor].name)"
            throw Failure(.data, "\(path): pieces of \(names) lie over each other in \(files[one.file].name)")
        }
    }
}
