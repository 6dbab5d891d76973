/// One finished training: what was trained, and how well it came out.
package struct RunMeasurement: Sendable, Equatable {
    /// Where it was read, for messages: `runs.csv:12` or a directory.
    package let source: String
    package let point: ScalePoint
    /// Nats per token; for `EfficiencyLeverage` the leverage.
    package let loss: Double

    /// V and the tokens of a sequence; nil where nothing says them.
    package let vocabularySize, context: Double?
    /// Training FLOPs as the run or its table counts them; nil where nothing says them.
    package let countedFLOPs: Double?
    /// The peak of the learning rate, and tokens of a step; nil where nothing says them.
    package let learningRate, batchTokens: Double?

    package init(
        source: String, point: ScalePoint, loss: Double, vocabularySize: Double? = nil, context: Double? = nil,
        countedFLOPs: Double? = nil, learningRate: Double? = nil, batchTokens: Double? = nil
    ) {
        self.source = source
        self.point = point
        self.loss = loss
        (self.vocabularySize, self.context, self.countedFLOPs) = (vocabularySize, context, countedFLOPs)
        (self.learningRate, self.batchTokens) = (learningRate, batchTokens)
    }

    /// Whether `other` says the same of the same training.
    func isRepeated(by other: RunMeasurement) -> Bool {
        point == other.point && loss == other.loss && learningRate == other.learningRate
            && batchTokens == other.batchTokens
    }
}
