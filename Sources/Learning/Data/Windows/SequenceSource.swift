/// The training sequences of a run, numbered from 0: what sequence `n` is depends on nothing else.
package protocol SequenceSource: Sendable {
    /// - Parameters:
    ///   - n: number of the sequence, from the beginning of training
    ///   - inputs: `[context]`
    ///   - targets: `[context]`: the token that follows each
    func fill(sequence n: Int, inputs: inout MutableSpan<Int32>, targets: inout MutableSpan<Int32>)
    /// The position at which the document of each token of a sequence begins, 0 if that is before the sequence.
    /// - Parameters:
    ///   - n: number of the sequence
    ///   - starts: `[context]`
    func documentStarts(ofSequence n: Int, into starts: inout MutableSpan<Int32>)
    /// Sources that the records tell apart.
    var sourceCount: Int { get }
    /// The source that sequence `n` is of, below `sourceCount`.
    func source(ofSequence n: Int) -> Int
    /// How many of the first `n` sequences are of each source.
    func counts(ofFirst n: Int) -> [Int]
}

/// Of one source of whole sequences.
extension SequenceSource {
    package func documentStarts(ofSequence n: Int, into starts: inout MutableSpan<Int32>) {
        starts.update(repeating: 0)
    }
    package var sourceCount: Int { 1 }
    package func source(ofSequence n: Int) -> Int { 0 }
    package func counts(ofFirst n: Int) -> [Int] { [n] }
}
