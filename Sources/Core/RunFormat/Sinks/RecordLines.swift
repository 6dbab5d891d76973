import Diagnostics
import Platform

/// Where in a file with a record on every line those of later steps begin.
struct RecordLines {
    /// Reads the step of a line; nil for a line that is no record.
    let step: ([UInt8]) -> Int?

    /// Bytes that are read at a time.
    private static let window = 1 << 16

    /// The byte at which the first record of a step after `last` begins, or the end of the last whole line. No record of an
    /// earlier step is cut, whatever lines somebody else has put between them. Read from the end: the time goes with what is
    /// cut.
    func end(ofStepsThrough last: Int, in file: RegularFile) throws(Failure) -> Int {
        var cut: Int?
        var reader = BackwardLines(file)
        while let line = try reader.next() {
            if cut == nil { cut = line.end }
            guard let step = step(line.bytes) else { continue }
            if step <= last { return cut ?? line.end }
            cut = line.start
        }
        return cut ?? 0
    }

    /// What `read` takes from the last line that it takes for a record; nil if there is none.
    static func last<Answer>(in file: RegularFile, _ read: ([UInt8]) -> Answer?) throws(Failure) -> Answer? {
        var reader = BackwardLines(file)
        while let line = try reader.next() {
            if let answer = read(line.bytes) { return answer }
        }
        return nil
    }

    /// Whole lines, the last one first; what follows the last newline is none. In bounded memory.
    private struct BackwardLines {
        struct Line {
            var start: Int
            /// After the newline.
            var end: Int
            /// Empty for a line that is too long for a record.
            var bytes: [UInt8]
        }

        private let file: RegularFile
        /// Bytes `first..<first + buffer.count` of the file.
        private var buffer: [UInt8] = []
        private var first: Int
        /// The end of the next line; nil before the last newline has been found.
        private var end: Int?

        init(_ file: RegularFile) {
            self.file = file
            first = file.size
        }

        mutating func next() throws(Failure) -> Line? {
            if end == nil {
                guard let newline = try newline(before: file.size) else { return nil }
                end = newline + 1
            }
            guard let end, end > 0 else { return nil }
            let start = try newline(before: end - 1).map { $0 + 1 } ?? 0
            self.end = start
            let isRecord = end - 1 - start <= StepRecord.longest
            return Line(start: start, end: end, bytes: isRecord ? try bytes(from: start, to: end - 1) : [])
        }

        private func bytes(from start: Int, to end: Int) throws(Failure) -> [UInt8] {
            guard start >= first, end <= first + buffer.count else { return try file.bytes(from: start, to: end) }
            return Array(buffer[start - first..<end - first])
        }

        private mutating func newline(before place: Int) throws(Failure) -> Int? {
            var searched = place
            while searched > 0 {
                if searched <= first || searched > first + buffer.count {
                    first = max(0, searched - RecordLines.window)
                    buffer = try file.bytes(from: first, to: searched)
                }
                if let found = buffer[..<(searched - first)].lastIndex(of: UInt8(ascii: "\n")) { return first + found }
                searched = first
            }
            return nil
        }
    }
}
