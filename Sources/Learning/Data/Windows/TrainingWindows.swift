package import Diagnostics
import Randomness

/// The training sequences of a whole run, numbered from 0: sequence `n` is a pure function of (seed, n).
///
/// An epoch lays a grid of windows of `context` tokens over the corpus, shifted by an offset of its own, and visits each
/// window once in an order of its own, a Feistel permutation.
package struct TrainingWindows: Sendable {
    package let dataset: TokenDataset
    package let context: Int
    /// Windows of one epoch: `max(1, (tokens − context) / context)`.
    package let windowsPerEpoch: Int
    private let seed: UInt64

    /// - Throws: `data` if the corpus does not hold one window and the token after it
    package init(_ dataset: TokenDataset, context: Int, seed: UInt64) throws(Failure) {
        precondition(context > 0)
        guard dataset.count > context else {
            throw Failure(
                .data,
                "model.context is \(context), but the training part of \(dataset.file.path) has \(dataset.count) tokens; "
                    + "\(context + 1) are needed",
                advice: "shorten model.context to \(max(dataset.count - 1, 1)) or less, or add text to data.train")
        }
        self.dataset = dataset
        self.context = context
        self.seed = seed
        windowsPerEpoch = max(1, (dataset.count - context) / context)
    }

    /// Where sequence `n` begins in the dataset.
    package func start(ofSequence n: Int) -> Int {
        precondition(n >= 0)
        let epoch = UInt64(n / windowsPerEpoch)
        let order = Permutation(count: windowsPerEpoch, seed: seed, purpose: .windowOrder, stream: epoch)
        return offset(ofEpoch: epoch) + order(n % windowsPerEpoch) * context
    }

    /// Uniform over the shifts that keep the grid and the token after it inside the corpus.
    private func offset(ofEpoch epoch: UInt64) -> Int {
        let slack = min(dataset.count - 1 - windowsPerEpoch * context, context - 1)
        let random = RandomFunction(seed: seed, purpose: .windowOffset)
        return Int(random.integer(epoch, below: UInt64(slack + 1)))
    }

    /// `inputs[i] = token[start + i]`, `targets[i] = token[start + i + 1]`.
    /// - Parameters:
    ///   - n: the number of the sequence in the whole run
    ///   - inputs: `[context]`
    ///   - targets: `[context]`
    package func fill(sequence n: Int, inputs: inout MutableSpan<Int32>, targets: inout MutableSpan<Int32>) {
        precondition(inputs.count == context && targets.count == context)
        let start = start(ofSequence: n)
        dataset.copy(from: start, into: &inputs)
        dataset.copy(from: start + 1, into: &targets)
    }

    /// `TokenDataset.documentStarts` of the inputs of sequence `n`.
    package func documentStarts(ofSequence n: Int, into starts: inout MutableSpan<Int32>) {
        precondition(starts.count == context)
        dataset.documentStarts(from: start(ofSequence: n), into: &starts)
    }
}
