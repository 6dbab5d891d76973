package import Tensors

/// What a micro-batch is computed for.
package enum PassPurpose: Sendable { case training, evaluation }

/// A micro-batch: a few sequences of equal length, the unit of batch, routing and dropping. No sequences means that this rank
/// has no micro-batch in the round and only serves its experts.
package struct MicroBatch: Sendable {
    /// Tokens of one sequence.
    package let sequenceLength: Int
    /// `[tokens]`, sequence after sequence.
    package let inputs: Vector<Int32>
    /// `[tokens]`: the token that follows each.
    package let targets: Vector<Int32>
    /// `[tokens]`: the position in its sequence at which each token's document begins, before which it sees nothing; nil where a
    /// sequence is seen as a whole.
    package let documentStarts: Vector<Int32>?

    /// - Parameters:
    ///   - sequences: their number
    ///   - sequenceLength: tokens of each
    ///   - masksDocuments: whether attention and positions end at the borders of documents
    package init(sequences: Int, sequenceLength: Int, masksDocuments: Bool = false) {
        let tokens = sequences * sequenceLength
        self.init(
            sequenceLength: sequenceLength, inputs: Vector(count: tokens), targets: Vector(count: tokens),
            documentStarts: masksDocuments ? Vector(count: tokens) : nil)
    }

    private init(
        sequenceLength: Int, inputs: Vector<Int32>, targets: Vector<Int32>, documentStarts: Vector<Int32>?
    ) {
        self.sequenceLength = sequenceLength
        self.inputs = inputs
        self.targets = targets
        self.documentStarts = documentStarts
    }

    package var tokens: Int { inputs.count }
    package var sequences: Int { sequenceLength == 0 ? 0 : tokens / sequenceLength }

    /// The first `sequences` sequences.
    package func prefix(sequences: Int) -> MicroBatch {
        let tokens = 0..<sequences * sequenceLength
        return MicroBatch(
            sequenceLength: sequenceLength, inputs: inputs[tokens], targets: targets[tokens],
            documentStarts: documentStarts?[tokens])
    }

    /// Pairs of a token and one that it sees, itself included.
    package var visiblePairs: Int {
        let hidden = documentStarts.map { starts in (0..<tokens).reduce(0) { $0 + Int(starts[$1]) } } ?? 0
        return sequences * (sequenceLength * (sequenceLength + 1) / 2) - hidden
    }
}

/// By what one micro-batch's losses are multiplied before the backward pass, so that the sum over micro-batches is the batch's
/// loss: one factor for all, never a mean of means.
package struct LossScale: Sendable {
    /// 1 / predicted tokens of the global batch.
    package let crossEntropy: Double
    /// 1 / micro-batches of the global batch.
    package let auxiliary: Double

    package init(predictedTokens: Int, microBatches: Int) {
        crossEntropy = 1 / Double(predictedTokens)
        auxiliary = 1 / Double(microBatches)
    }
}

/// What one micro-batch adds to the step's records.
package struct MicroBatchStatistics: Sendable {
    package var tokens = 0
    /// `MicroBatch.visiblePairs`
    package var visiblePairs = 0
    /// Sum over tokens of the cross-entropy, in nats.
    package var crossEntropy = 0.0
    /// Per layer.
    package var routes: [RoutingStatistics] = []

    package init() {}
}
