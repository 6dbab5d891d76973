/// The training sequences of a run, numbered from 0: what sequence `n` is depends on nothing else.
package protocol SequenceSource: Sendable {
    /// - Parameters:
    ///   - n: number of the sequence, from the beginning of training
    ///   - inputs: `[context]`
    ///   - targets: `[context]`: the token that follows each
    func fill(sequence n: Int, inputs: inout MutableSpan<Int32>, targets: inout MutableSpan<Int32>)
}

extension TrainingWindows: SequenceSource {}
