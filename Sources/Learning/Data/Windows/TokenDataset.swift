import Platform
package import Tokenizers

/// A part of a token file seen as one run of tokens: segments of the file, laid end to end. Nothing is copied.
package struct TokenDataset: Sendable {
    package let file: TokenFile
    package let segments: [Range<Int>]
    /// Position of each segment's first token in this dataset.
    private let starts: [Int]
    /// In tokens.
    package let count: Int

    /// - Parameter segments: non-empty, ascending, disjoint ranges of the file's tokens
    init(_ file: TokenFile, segments: [Range<Int>]) {
        var starts: [Int] = [], count = 0
        for segment in segments {
            precondition(!segment.isEmpty && segment.lowerBound >= 0 && segment.upperBound <= file.tokenCount)
            starts.append(count)
            count += segment.count
        }
        self.file = file
        self.segments = segments
        self.starts = starts
        self.count = count
    }

    /// All of `file`.
    package init(_ file: TokenFile) {
        self.init(file, segments: file.tokenCount > 0 ? [0..<file.tokenCount] : [])
    }

    package var tokenizer: any Tokenizer { file.tokenizer }

    /// `destination[i] = token[position + i]`, O(log segments + count).
    package func copy(from position: Int, into destination: inout MutableSpan<Int32>) {
        precondition(position >= 0 && position + destination.count <= count, "window outside the dataset")
        var segment = segmentHolding(position), written = 0
        while written < destination.count {
            let source = segments[segment].lowerBound + (position + written - starts[segment])
            let run = min(segments[segment].upperBound - source, destination.count - written)
            var part = destination.extracting(written..<written + run)
            file.copy(from: source, into: &part)
            written += run
            segment += 1
        }
    }

    /// `starts[i]` becomes where in the window that begins at `position` the document of its token i begins: 0 if before it.
    /// O(documents in the window · log documents + count).
    package func documentStarts(from position: Int, into starts: inout MutableSpan<Int32>) {
        precondition(position >= 0 && position + starts.count <= count, "window outside the dataset")
        var start = 0
        while start < starts.count {
            let end = min(documentEnd(at: position + start) - position, starts.count)
            for i in start..<end { starts[i] = Int32(start) }
            start = end
        }
    }

    /// Where the document of the token at `position` ends, or the segment in which it is cut.
    private func documentEnd(at position: Int) -> Int {
        let index = segmentHolding(position), segment = segments[index]
        let offset = segment.lowerBound - starts[index]
        return min(file.documentEnd(at: position + offset), segment.upperBound) - offset
    }

    package subscript(position: Int) -> Int {
        precondition(position >= 0 && position < count)
        let segment = segmentHolding(position)
        return file[segments[segment].lowerBound + (position - starts[segment])]
    }

    /// The last segment that starts at or before `position`.
    private func segmentHolding(_ position: Int) -> Int {
        var low = 0, high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= position { low = middle } else { high = middle }
        }
        return low
    }
}
