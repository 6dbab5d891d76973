package import Diagnostics

/// The lines of a file, first to last, in bounded memory: a file may be larger than any memory, and a line of zeros as long as
/// the file.
package struct FileLines {
    package struct Line {
        /// From 1.
        package var number: Int
        /// Without the newline.
        package var bytes: [UInt8]
    }

    private let file: RegularFile
    private let longest: Int
    private var buffer: [UInt8] = []
    /// Of the buffer: where the next line begins, and up to where there is no newline behind that.
    private var start = 0, searched = 0
    /// Of the file.
    private var position: Int
    private var count = 0
    private static let window = 1 << 16

    /// - Parameters:
    ///   - file: to be read
    ///   - longest: the most bytes of a line
    ///   - start: the byte to begin at, the first of a line
    package init(_ file: RegularFile, longest: Int, from start: Int = 0) {
        self.file = file
        self.longest = longest
        position = start
    }

    /// - Returns: nil at the end; a last line without a newline is one
    /// - Throws: `data`, naming the line that is too long; `inputOutput` if the file cannot be read
    package mutating func next() throws(Failure) -> Line? {
        while true {
            let newline = buffer[searched...].firstIndex(of: UInt8(ascii: "\n"))
            let end = newline ?? buffer.count
            guard end - start <= longest else {
                throw Failure(
                    .data, "\(file.path):\(count + 1): the line is longer than the \(longest) bytes that one may have",
                    advice: "a crash of the machine can leave zeros at the end of a file: cut off what is no record")
            }
            if newline != nil || (position == file.size && end > start) { return take(upTo: end) }
            guard position < file.size else { return nil }
            buffer.removeFirst(start)
            (start, searched) = (0, buffer.count)
            let next = min(file.size, position + Self.window)
            buffer += try file.bytes(from: position, to: next)
            position = next
        }
    }

    private mutating func take(upTo end: Int) -> Line {
        count += 1
        let line = Line(number: count, bytes: Array(buffer[start..<end]))
        start = min(end + 1, buffer.count)
        searched = start
        return line
    }
}
