/// The training sequences of a run, numbered from 0: what sequence `n` is depends on nothing else.
package protocol SequenceSource: Sendable {
    /// - Parameters:
    ///   - n: number of the sequence, from the beginning of training
    ///   - inputs: `[context]`
    ///   - targets: `[context]`: the token that follows each
    func fill(sequence n: Int, inputs: inout MutableSpan<Int32>, targets: inout MutableSpan<Int32>)
    /// Sources that the records tell apart.
    var sourceCount: Int { get }
    /// The source that sequence `n` is of, below `sourceCount`.
    func source(ofSequence n: Int) -> Int
    /// How many of the first `n` sequences are of each source.
    func counts(ofFirst n: Int) -> [Int]
}

/// Of one source.
extension SequenceSource {
    package var sourceCount: Int { 1 }
    package func source(ofSequence n: Int) -> Int { 0 }
    package func counts(ofFirst n: Int) -> [Int] { [n] }
}
