package import Configuration
import Data
package import Diagnostics
import Model
import Randomness

extension RunConfiguration {
    /// With the vocabulary that the tokenizer's setting promises; where the size is written, no file is looked at.
    package func resolvedWithoutTokenizer() throws(Failure) -> ResolvedConfiguration {
        if let size = model.vocabularySize { return try resolved(tokenizer: size) }
        return try resolved(tokenizer: try data.expectedVocabulary())
    }
}

/// Sequences of tokens drawn evenly from the vocabulary: a step's speed does not depend on their sense.
struct RandomTokens: SequenceSource {
    /// Of a document on average, where they are told apart: about what web texts have.
    private static let documentTokens: UInt64 = 512

    let vocabulary: Int
    let seed: UInt64

    func fill(sequence n: Int, inputs: inout MutableSpan<Int32>, targets: inout MutableSpan<Int32>) {
        let random = RandomFunction(seed: seed, purpose: .benchmarks, stream: UInt64(n))
        func token(_ i: Int) -> Int32 { Int32(random.integer(UInt64(i), below: UInt64(vocabulary))) }
        for i in 0..<inputs.count {
            inputs[i] = token(i)
            targets[i] = token(i + 1)
        }
    }

    /// A token begins a document by chance, once in `documentTokens`.
    func documentStarts(ofSequence n: Int, into starts: inout MutableSpan<Int32>) {
        let random = RandomFunction(seed: seed, purpose: .benchmarks, stream: UInt64(n))
        var start = 0
        for i in 0..<starts.count {
            if random.integer(1 << 32 + UInt64(i), below: Self.documentTokens) == 0 { start = i }
            starts[i] = Int32(start)
        }
    }
}
