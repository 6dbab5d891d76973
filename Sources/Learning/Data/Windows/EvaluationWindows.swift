package import Diagnostics
import Tokenizers

/// Consecutive windows of `context` tokens, each predicting its own next tokens; the last, partial window is left out.
package struct EvaluationWindows: Sendable {
    package let datasets: [TokenDataset]
    package let context: Int
    package let count: Int
    /// Windows of several datasets alternate, so that the first few are of all of them.
    private let order: MixtureOrder
    /// Bytes that each token stands for, so that bits per byte need no decoding.
    private let byteCounts: [Int32]

    /// - Parameter datasets: at least one, of one tokenizer
    /// - Throws: `data` if one of them does not hold one window and the token after it
    package init(_ datasets: [TokenDataset], context: Int) throws(Failure) {
        precondition(context > 0)
        for dataset in datasets where dataset.count <= context {
            throw Failure(
                .data,
                "the context is \(context) tokens, but the validation part of \(dataset.file.path) has "
                    + "\(dataset.count); \(context + 1) are needed",
                advice: "hold more text back in data.validation, or shorten the context")
        }
        self.datasets = datasets
        self.context = context
        let counts = datasets.map { ($0.count - 1) / context }
        count = counts.reduce(0, +)
        order = MixtureOrder(shares: counts.map(UInt64.init))
        let tokenizer = datasets[0].tokenizer
        byteCounts = (0..<tokenizer.vocabularySize).map { Int32(tokenizer.byteCount(of: $0)) }
    }

    /// `inputs[i] = token[window·context + i]`, `targets[i] = token[window·context + i + 1]` of one dataset, window by window.
    package func fill(window: Int, inputs: inout MutableSpan<Int32>, targets: inout MutableSpan<Int32>) {
        precondition(window >= 0 && window < count && inputs.count == context && targets.count == context)
        let (source, number) = order.place(of: window)
        datasets[source].copy(from: number * context, into: &inputs)
        datasets[source].copy(from: number * context + 1, into: &targets)
    }

    /// The dataset that a window is of.
    package func source(ofWindow window: Int) -> Int { order.place(of: window).source }

    /// `TokenDataset.documentStarts` of the inputs of a window.
    package func documentStarts(ofWindow window: Int, into starts: inout MutableSpan<Int32>) {
        precondition(window >= 0 && window < count && starts.count == context)
        let (source, number) = order.place(of: window)
        datasets[source].documentStarts(from: number * context, into: &starts)
    }

    /// Bytes of text that `targets` stand for: the denominator of bits per byte.
    package func byteCount(ofTargets targets: Span<Int32>) -> Int {
        var total = 0
        for i in targets.indices { total += Int(byteCounts[Int(targets[i])]) }
        return total
    }
}
