package import Tracing

/// Where a step's time went, in seconds: parts that add up to the step.
package struct Breakdown: Sendable, Equatable {
    package enum Part: String, CaseIterable, Sendable {
        case forwardProducts = "forward products"
        case backwardProducts = "backward products"
        case lossAndHead = "loss and head"
        case attention
        case attentionBackward = "attention backward"
        /// Norms, SwiGLU, rotary positions, routing, copies.
        case otherKernels = "other kernels"
        case optimizer
        case normAndDigests = "norm and digests"
        case exchange
        case reduction
        case waiting
        case rest
    }

    package private(set) var seconds: [Double]

    package init(_ spans: [Span]) {
        var seconds = [Double](repeating: 0, count: Part.allCases.count)
        forEachOwnTime(spans) { phase, around, nanoseconds in
            let part = Self.part(of: phase, in: around)
            seconds[Part.allCases.firstIndex(of: part)!] += Double(nanoseconds) * 1e-9
        }
        self.seconds = seconds
    }

    package subscript(part: Part) -> Double { seconds[Part.allCases.firstIndex(of: part)!] }

    private static func part(of phase: Phase, in around: [Phase]) -> Part {
        switch phase {
        case .products where around.contains(.forward): .forwardProducts
        case .products where around.contains(.loss): .lossAndHead
        case .products: .backwardProducts
        case .loss: .lossAndHead
        case .attention: .attention
        case .attentionBackward: .attentionBackward
        case .forward, .backward, .attentionHalf, .feedForwardHalf: .otherKernels
        case .update: .optimizer
        case .sums: .normAndDigests
        case .exchange: .exchange
        case .reduction: .reduction
        case .waiting: .waiting
        case .step, .lane: .rest
        }
    }
}
