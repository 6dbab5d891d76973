package import Diagnostics
import Tokenizers

/// Consecutive windows of `context` tokens, each predicting its own next tokens; the last, partial window is left out.
package struct EvaluationWindows: Sendable {
    package let dataset: TokenDataset
    package let context: Int
    package let count: Int
    /// Bytes that each token stands for, so that bits per byte need no decoding.
    private let byteCounts: [Int32]

    /// - Throws: `data` if the corpus does not hold one window and the token after it
    package init(_ dataset: TokenDataset, context: Int) throws(Failure) {
        precondition(context > 0)
        guard dataset.count > context else {
            throw Failure(
                .data,
                "the context is \(context) tokens, but the validation part of \(dataset.file.path) has "
                    + "\(dataset.count); \(context + 1) are needed",
                advice: "hold more text back in data.validation, or shorten the context")
        }
        self.dataset = dataset
        self.context = context
        count = (dataset.count - 1) / context
        let tokenizer = dataset.tokenizer
        byteCounts = (0..<tokenizer.vocabularySize).map { Int32(tokenizer.byteCount(of: $0)) }
    }

    /// `inputs[i] = token[window·context + i]`, `targets[i] = token[window·context + i + 1]`.
    package func fill(window: Int, inputs: inout MutableSpan<Int32>, targets: inout MutableSpan<Int32>) {
        precondition(window >= 0 && window < count && inputs.count == context && targets.count == context)
        dataset.copy(from: window * context, into: &inputs)
        dataset.copy(from: window * context + 1, into: &targets)
    }

    /// Bytes of text that `targets` stand for: the denominator of bits per byte.
    package func byteCount(ofTargets targets: Span<Int32>) -> Int {
        var total = 0
        for i in targets.indices { total += Int(byteCounts[Int(targets[i])]) }
        return total
    }
}
