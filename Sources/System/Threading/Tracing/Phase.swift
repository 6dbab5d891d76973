/// What a rank can be busy with, as traces and breakdowns call it.
package enum Phase: UInt8, CaseIterable, Sendable {
    case step
    case lane
    case forward, backward
    case attentionHalf, feedForwardHalf
    case loss
    case products, attention, attentionBackward
    case sums, update
    case waiting, exchange, reduction
    case turn

    package enum Kind: String, Sendable { case structure, compute, communication }

    /// Phases of structure are there to hold others.
    package var kind: Kind {
        switch self {
        case .step, .lane, .forward, .backward, .attentionHalf, .feedForwardHalf: .structure
        case .loss, .products, .attention, .attentionBackward, .sums, .update: .compute
        case .waiting, .exchange, .reduction, .turn: .communication
        }
    }

    package var name: String {
        switch self {
        case .step: "step"
        case .lane: "micro-batch"
        case .forward: "forward"
        case .backward: "backward"
        case .attentionHalf: "attention sublayer"
        case .feedForwardHalf: "feed-forward sublayer"
        case .loss: "loss"
        case .products: "matrix products"
        case .attention: "attention"
        case .attentionBackward: "attention backward"
        case .sums: "norm and digests"
        case .update: "optimizer"
        case .waiting: "waiting"
        case .exchange: "exchange"
        case .reduction: "reduction"
        case .turn: "turn wait"
        }
    }
}
