import Randomness

/// Tokens to try two models with: all over the vocabulary, the same for the same sizes.
package struct SampleTokens: Sendable, Equatable {
    /// `[sequences][length]`
    package let sequences: [[Int]]

    /// - Parameter sequences: of one length, at least one
    package init(sequences: [[Int]]) {
        precondition(Set(sequences.map(\.count)).count == 1)
        self.sequences = sequences
    }

    /// - Parameters:
    ///   - count: how many, at least; whole sequences are taken
    ///   - context: the most tokens of a sequence
    ///   - vocabulary: tokens are smaller than this
    package init(count: Int, context: Int, vocabulary: Int) {
        let length = min(count, context), number = (count + length - 1) / length
        sequences = (0..<number).map { sequence in
            (0..<length).map { Int(mix(UInt64(sequence * length + $0)) % UInt64(vocabulary)) }
        }
    }

    package var length: Int { sequences[0].count }
    package var count: Int { sequences.count * length }
    var all: [Int] { sequences.flatMap { $0 } }
}
