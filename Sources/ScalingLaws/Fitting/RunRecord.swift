/// One finished training: what was trained, and how well it came out.
package struct RunRecord: Sendable, Equatable {
    /// Where it was read, for messages: `runs.csv:12` or a directory.
    package let source: String
    package let point: ScalePoint
    /// Training FLOPs where known; no law needs them.
    package let flops: Double?
    /// Nats per token.
    package let loss: Double

    package init(source: String, point: ScalePoint, flops: Double? = nil, loss: Double) {
        self.source = source
        self.point = point
        self.flops = flops
        self.loss = loss
    }
}
