import Configuration
package import Parallelism
package import Threading

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

    /// - Parameters:
    ///   - tracks: the spans of each thread of a rank; only one of them computes at a time
    ///   - times: what the rank spent on communication while none did
    package init(_ tracks: [[TraceInterval]], _ times: CommunicationTimes) {
        seconds = [Double](repeating: 0, count: Part.allCases.count)
        for spans in tracks {
            forEachOwnTime(spans) { phase, around, nanoseconds in
                guard let part = Self.part(of: phase, in: around) else { return }
                add(Double(nanoseconds) * 1e-9, to: part)
            }
        }
        add(times.exchange, to: .exchange)
        add(times.reduction, to: .reduction)
        add(times.waiting, to: .waiting)
    }

    private mutating func add(_ more: Double, to part: Part) { seconds[Part.allCases.firstIndex(of: part)!] += more }

    package subscript(part: Part) -> Double { seconds[Part.allCases.firstIndex(of: part)!] }

    /// Nil for communication, which `CommunicationTimes` accounts for: a span of it may lie beside another thread's computing.
    private static func part(of phase: Phase, in around: [Phase]) -> Part? {
        switch phase {
        case .products where around.contains(.forward): .forwardProducts
        case .products where around.contains(.loss): .lossAndHead
        case .products where around.contains(.update): .optimizer
        case .products: .backwardProducts
        case .loss: .lossAndHead
        case .attention: .attention
        case .attentionBackward: .attentionBackward
        case .forward, .backward, .attentionSublayer, .feedForwardSublayer: .otherKernels
        case .update: .optimizer
        case .normAndDigest: .normAndDigests
        case .exchange, .reduction, .waiting, .turnWait: nil
        case .step, .microBatch: .rest
        }
    }
}
