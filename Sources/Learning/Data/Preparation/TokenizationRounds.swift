import Diagnostics
import Threading
import Tokenizers

extension Tokenization {
    /// Blocks of one round for each thread: few enough to hold, enough that threads are done at about the same time.
    private static let blocksPerThread = 8

    /// Encodes `blocks` on all threads and writes them in order.
    ///
    /// In a round one task reads the blocks of the next round, one writes those of the last one, and each of the others encodes a
    /// block. What a block's tokens are depends on its text alone, so the file is the same for any number of threads.
    /// - Returns: `writer`, behind all blocks
    func encode(
        _ blocks: TextBlocks, _ writer: TokenizationWriter, _ report: (String) -> Void
    ) throws(Failure) -> TokenizationWriter {
        let pool = ThreadPool(count: threads), endOfText = tokenizer.endOfText
        let reader = OneTask(blocks), writer = OneTask(writer)
        let encoders = (0..<threads).map { _ in OneTask(tokenizer.makeEncoder()) }
        let most = threads * Self.blocksPerThread
        var current = try reader.value.next(most), done: [EncodedBlock] = []
        while !current.isEmpty || !done.isEmpty {
            let encoding = current, writing = done
            let next = OneTask(Result<[TextBlock], Failure>.success([])), failure = OneTask<Failure?>(nil)
            let encoded = encoding.map { _ in OneTask<EncodedBlock?>(nil) }
            pool.run(encoding.count + 2) { worker, task in
                switch task {
                case 0: next.value = encoding.isEmpty ? .success([]) : reader.value.result(most)
                case 1: failure.value = writer.value.failure(writing: writing)
                default:
                    let block = encoding[task - 2]
                    encoded[task - 2].value = EncodedBlock(block, &encoders[worker].value, endOfText: endOfText)
                }
            }
            if let failure = failure.value { throw failure }
            try writer.value.look(report)
            done = encoded.compactMap(\.value)
            current = try next.value.get()
        }
        return writer.value
    }
}

extension TextBlocks {
    /// At most `count` blocks; fewer at the end.
    mutating func next(_ count: Int) throws(Failure) -> [TextBlock] {
        var blocks: [TextBlock] = []
        while blocks.count < count, let block = try next() { blocks.append(block) }
        return blocks
    }

    mutating func result(_ count: Int) -> Result<[TextBlock], Failure> {
        do throws(Failure) { return .success(try next(count)) } catch { return .failure(error) }
    }
}

extension TokenizationWriter {
    fileprivate mutating func failure(writing blocks: [EncodedBlock]) -> Failure? {
        do throws(Failure) {
            for block in blocks { try write(block) }
            return nil
        } catch { return error }
    }
}

/// A value that one task of a round uses; between rounds, the thread that hands them out.
final class OneTask<Value>: @unchecked Sendable {
    // Unchecked because no two tasks of a round use the same one, and rounds follow each other.
    var value: Value

    init(_ value: Value) { self.value = value }
}
