/// What a rank can be busy with, as traces and breakdowns call it.
package enum Phase: UInt8, CaseIterable, Sendable {
    case step
    case microBatch
    case forward, backward
    case attentionSublayer, feedForwardSublayer
    case loss
    case products, attention, attentionBackward
    case normAndDigest, update
    case waiting, exchange, reduction
    case turnWait

    package enum Kind: String, Sendable { case structure, compute, communication }

    /// Phases of structure are there to hold others.
    package var kind: Kind {
        switch self {
        case .step, .microBatch, .forward, .backward, .attentionSublayer, .feedForwardSublayer: .structure
        case .loss, .products, .attention, .attentionBackward, .normAndDigest, .update: .compute
        case .waiting, .exchange, .reduction, .turnWait: .communication
        }
    }

    package var name: String {
        switch self {
        case .step: "step"
        case .microBatch: "micro-batch"
        case .forward: "forward"
        case .backward: "backward"
        case .attentionSublayer: "attention sublayer"
        case .feedForwardSublayer: "feed-forward sublayer"
        case .loss: "loss"
        case .products: "matrix products"
        case .attention: "attention"
        case .attentionBackward: "attention backward"
        case .normAndDigest: "norm and digests"
        case .update: "optimizer"
        case .waiting: "waiting"
        case .exchange: "exchange"
        case .reduction: "reduction"
        case .turnWait: "turn wait"
        }
    }
}
