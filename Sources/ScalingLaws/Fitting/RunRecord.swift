/// One finished training: what was trained, and how well it came out.
package struct RunRecord: Sendable, Equatable {
    /// Where it was read, for messages: `runs.csv:12` or a directory.
    package let source: String
    package let point: ScalePoint
    /// Nats per token; for `EfficiencyLeverage` the leverage.
    package let loss: Double

    package init(source: String, point: ScalePoint, loss: Double) {
        self.source = source
        self.point = point
        self.loss = loss
    }
}
