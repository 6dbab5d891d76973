package import Collectives
import Configuration
import Data
package import Diagnostics
import Kernels
import Parallelism
import Platform
import Tensors
import Tokenizers

extension SourceCheckpoint {
    /// Tokens that the tokenizer can make, in sequences that the model was made for.
    package func sampleTokens(_ count: Int) -> SampleTokens {
        SampleTokens(count: count, context: configuration.model.context, vocabulary: tokenizer.vocabularySize)
    }
}

extension ConversionCheck {
    /// Checks, and writes tokens and our logits to `reference`, a safetensors file, if it is given.
    package init(
        _ directory: String, is source: SourceCheckpoint, tokens: SampleTokens, reference: String?,
        on world: any Communicator
    ) throws(Failure) {
        guard let reference else {
            self = try ConversionCheck(directory, is: source, tokens: tokens, on: world)
            return
        }
        let vocabulary = source.configuration.model.vocabularySize
        let logits = Tensor(rows: tokens.count, columns: vocabulary)
        self = try ConversionCheck(directory, is: source, tokens: tokens, on: world) { part, first in
            for row in 0..<part.rows { for c in 0..<part.columns { logits[row, first + c] = part[row, c] } }
        }
        let shape = [tokens.sequences.count, tokens.length]
        let writer = try SafetensorsWriter(
            reference,
            [
                SafetensorsEntry(name: "logits", shape: shape + [vocabulary]),
                SafetensorsEntry(name: "tokens", shape: shape),
            ])
        try writer.begin("logits")
        try writer.append(logits.vector)
        try writer.begin("tokens")
        try writer.append(Vector(tokens.all.map { Float($0) }))
        try writer.finish()
    }

    package var inWords: String {
        let found =
            "verified: \(tensors) tensors by digest; largest logit difference \(largestDifference) over \(tokens) tokens "
            + "(largest logit \(largestLogit))"
        guard isLarge else { return found }
        return found + "; an expert was chosen by a margin of \(closestCall), which rounding may turn"
    }
}
