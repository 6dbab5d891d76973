import Diagnostics
import Platform
import Tensors

/// Reads a tensor's numbers where the manifest says they lie, without any library that parses the file: what was hashed is what
/// is read, whatever else the file claims to hold.
enum RawRanges {
    /// Elements of one reading that goes through a copy.
    private static let windowSize = 1 << 20
    /// Elements that are rather read than skipped.
    private static let smallGap = 1 << 12

    /// Reads the part `source` of a piece to where `target` lies in `values`, which is laid out as a rectangle of `shape`.
    /// Straight to its place where many elements are consecutive in both; otherwise through a copy of at most 4 MB.
    static func read(
        _ source: Rectangle, of piece: StoredShard, from file: RegularFile, to target: Rectangle, in shape: [Int],
        of values: Vector<Float>
    ) throws(Failure) {
        var batch: [CommonRuns.Run] = []
        for run in CommonRuns(source, in: piece.rectangle.shape, target, in: shape) {
            if let first = batch.first, let last = batch.last {
                let isFar = run.source - last.source - last.length > smallGap
                if isFar || run.source + run.length - first.source > windowSize {
                    try read(batch, piece.byteOffset, file, values)
                    batch.removeAll(keepingCapacity: true)
                }
            }
            batch.append(run)
        }
        try read(batch, piece.byteOffset, file, values)
    }

    /// Reads runs that lie close together.
    private static func read(
        _ runs: [CommonRuns.Run], _ byteOffset: Int, _ file: RegularFile, _ values: Vector<Float>
    ) throws(Failure) {
        guard let first = runs.first, let last = runs.last else { return }
        let byte = byteOffset + 4 * first.source
        guard runs.count > 1 else {
            return try fill(values[first.target..<first.target + first.length], from: file, byte: byte)
        }
        let window = Vector<Float>(count: last.source + last.length - first.source)
        try fill(window, from: file, byte: byte)
        for run in runs {
            let start = run.source - first.source
            values[run.target..<run.target + run.length].copy(from: window[start..<start + run.length])
        }
    }

    /// `TensorDigest` of what is stored; nil if a piece cannot be read to its end. Memory: 4 MB.
    static func digest(of tensor: StoredTensor, _ file: (Int) throws(Failure) -> RegularFile) -> UInt64? {
        let digest = TensorDigest(name: tensor.name)
        let buffer = Vector<Float>(count: max(1, min(tensor.count, windowSize)))
        var sum: UInt64 = 0
        do throws(Failure) {
            for piece in tensor.pieces {
                let source = try file(piece.file)
                let inside = Rectangle(whole: piece.rectangle.shape)
                for run in CommonRuns(inside, in: inside.shape, piece.rectangle, in: tensor.shape) {
                    for start in stride(from: 0, to: run.length, by: buffer.count) {
                        let window = buffer[0..<min(buffer.count, run.length - start)]
                        try fill(window, from: source, byte: piece.byteOffset + 4 * (run.source + start))
                        sum &+= digest.part(window.span, at: run.target + start)
                    }
                }
            }
        } catch {
            return nil
        }
        return sum
    }

    private static func fill(_ values: Vector<Float>, from file: RegularFile, byte: Int) throws(Failure) {
        try unsafe file.read(into: unsafe UnsafeMutableRawPointer(values.pointer), count: 4 * values.count, at: byte)
    }
}

/// The longest runs of elements that are consecutive in two row-major frames at once: of a rectangle that lies at `source` in
/// one and at `target`, of the same shape, in the other. In the order of both.
struct CommonRuns: Sequence, IteratorProtocol {
    struct Run {
        var source: Int
        var target: Int
        var length: Int
    }

    private let source: Rectangle
    private let target: Rectangle
    private let frames: (source: [Int], target: [Int])
    /// Along the axes from here on all elements are consecutive.
    private let joint: Int
    private let length: Int
    private var place: [Int]
    private var isOver: Bool

    init(_ source: Rectangle, in sourceFrame: [Int], _ target: Rectangle, in targetFrame: [Int]) {
        let shape = source.shape
        precondition(target.shape == shape && !shape.isEmpty)
        var joint = shape.count - 1
        while joint > 0, shape[joint] == sourceFrame[joint], shape[joint] == targetFrame[joint] { joint -= 1 }
        self.source = source
        self.target = target
        frames = (sourceFrame, targetFrame)
        self.joint = joint
        length = shape[joint...].reduce(1, *)
        place = shape.map { _ in 0 }
        isOver = source.count == 0
    }

    mutating func next() -> Run? {
        guard !isOver else { return nil }
        let run = Run(
            source: index(in: source, frames.source), target: index(in: target, frames.target), length: length)
        var axis = joint - 1
        while axis >= 0 {
            place[axis] += 1
            if place[axis] < source.shape[axis] { return run }
            place[axis] = 0
            axis -= 1
        }
        isOver = true
        return run
    }

    private func index(in rectangle: Rectangle, _ frame: [Int]) -> Int {
        var index = 0
        for axis in frame.indices { index = index * frame[axis] + rectangle.offset[axis] + place[axis] }
        return index
    }
}
