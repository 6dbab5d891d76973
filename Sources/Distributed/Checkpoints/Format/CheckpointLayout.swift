import Diagnostics
import Platform
import Tensors

/// Which file holds which part of which tensor: a pure function of what each rank owns and of the number of files, so
/// that every rank computes the same.
struct CheckpointLayout: Equatable {
    /// By name. `pieces[].file` counts shard files from 0.
    var tensors: [StoredTensor]

    /// What a rank owns, without the numbers.
    struct Part: Equatable {
        var name: String
        var globalShape: [Int]
        var rectangle: Rectangle
    }

    /// - Parameters:
    ///   - owned: the parts of every rank, in rank order
    ///   - fileOfRank: which file each rank writes to
    /// - Throws: if the parts do not cover every tensor exactly once
    init(owned: [[Part]], fileOfRank: [Int]) throws(Failure) {
        var shapes: [String: [Int]] = [:]
        var parts: [String: [Int: [Rectangle]]] = [:]
        for (rank, list) in owned.enumerated() {
            for part in list {
                try Self.check(part, knownShape: shapes[part.name])
                shapes[part.name] = part.globalShape
                guard part.rectangle.count > 0 else { continue }
                parts[part.name, default: [:]][fileOfRank[rank], default: []].append(part.rectangle)
            }
        }
        var tensors: [StoredTensor] = []
        for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) {
            let byFile = parts[name, default: [:]]
            try Self.checkCover(name, shape, byFile.values.flatMap { $0 })
            tensors.append(StoredTensor(name: name, shape: shape, pieces: Self.pieces(name, byFile)))
        }
        self.tensors = tensors
    }

    private static func check(_ part: Part, knownShape: [Int]?) throws(Failure) {
        guard TensorName.isValid(part.name) else {
            throw Failure(.software, "`\(part.name)` cannot be a tensor's name in a checkpoint")
        }
        guard (1...4).contains(part.globalShape.count), part.globalShape.allSatisfy({ $0 > 0 }) else {
            throw Failure(.software, "\(part.name): shape \(part.globalShape) is not one to four positive extents")
        }
        guard knownShape == nil || knownShape == part.globalShape else {
            throw Failure(.software, "\(part.name) has shape \(part.globalShape) here and \(knownShape!) elsewhere")
        }
        guard part.rectangle.isContained(in: part.globalShape) else {
            throw Failure(.software, "\(part.name): \(part.rectangle) lies outside \(part.globalShape)")
        }
    }

    private static func checkCover(_ name: String, _ shape: [Int], _ parts: [Rectangle]) throws(Failure) {
        if Rectangle.tile(parts, shape) { return }
        for (i, part) in parts.enumerated() {
            if let other = parts[..<i].first(where: { $0.intersection(part) != nil }) {
                throw Failure(.software, "\(name): \(part) and \(other) are owned twice")
            }
        }
        let owned = parts.reduce(0) { $0 + $1.count }, all = shape.reduce(1, *)
        guard owned == all else {
            throw Failure(.software, "\(name): \(all - owned) of \(all) elements are owned by no rank")
        }
    }

    /// The parts of one file become one dataset where together they are a rectangle, else a dataset each.
    private static func pieces(_ name: String, _ byFile: [Int: [Rectangle]]) -> [StoredShard] {
        byFile.sorted { $0.key < $1.key }.flatMap { file, parts in
            let frame = Rectangle.around(parts)
            if frame.count == parts.reduce(0, { $0 + $1.count }) {
                return [StoredShard(file: file, rectangle: frame, dataset: name)]
            }
            return parts.sorted { $0.offset.lexicographicallyPrecedes($1.offset) }.enumerated().map { number, part in
                StoredShard(file: file, rectangle: part, dataset: "\(name)@\(number)")
            }
        }
    }

    /// Tensor and piece that contain a part written to `file`.
    func place(of part: Part, in file: Int) -> (tensor: Int, piece: Int)? {
        guard let tensor = tensors.firstIndex(where: { $0.name == part.name }) else { return nil }
        let piece = tensors[tensor].pieces.firstIndex { $0.file == file && $0.rectangle.contains(part.rectangle) }
        return piece.map { (tensor, $0) }
    }
}

/// Names are HDF5 paths and stand in lines of text: printable ASCII without blank, no empty component, no `@`.
enum TensorName {
    static func isValid(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 512 && name.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x40 }
            && name.split(separator: "/", omittingEmptySubsequences: false)
                .allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
            && name != "run" && !name.hasPrefix("run/")
    }
}

extension CheckpointLayout.Part {
    /// One line: name, global shape, offset, shape.
    var line: String { "\(name) \(text(globalShape)) \(text(rectangle.offset)) \(text(rectangle.shape))" }

    init?(line: Substring) {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 4, let global = extents(words[1]), let offset = extents(words[2]),
            let shape = extents(words[3])
        else { return nil }
        self.init(name: String(words[0]), globalShape: global, rectangle: Rectangle(offset: offset, shape: shape))
    }
}

/// `64,128`
func text(_ extents: [Int]) -> String { extents.map(String.init).joined(separator: ",") }

/// The inverse: decimal numbers, one to four, nothing else.
func extents(_ text: some StringProtocol) -> [Int]? {
    let words = text.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = words.compactMap(naturalNumber)
    return numbers.count == words.count && (1...4).contains(numbers.count) ? numbers : nil
}

/// Digits only, so that every number has one spelling.
func naturalNumber(_ text: some StringProtocol) -> Int? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), text == "0" || text.first != "0" else {
        return nil
    }
    return Int(text).flatMap { $0 <= 1 << 53 ? $0 : nil }
}

/// Elements of a tensor of this shape; nil if there are more than any machine holds.
func elements(_ shape: [Int]) -> Int? {
    shape.reduce(1) { count, extent in
        guard let count, count.multipliedReportingOverflow(by: extent).overflow == false else { return nil }
        return count * extent <= 1 << 50 ? count * extent : nil
    }
}
