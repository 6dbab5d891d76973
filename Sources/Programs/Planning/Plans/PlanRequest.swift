package import Diagnostics
import Platform

/// What a user has and wants. Sizes are raw counts.
package struct PlanRequest: Sendable {
    /// Training compute, FLOPs; with `inferenceTokens`, training and inference together.
    package var flops: Double?
    /// The rate of training at a granularity over that for which `flops` holds, where rates were measured: in equal hours, a
    /// choice has `flops` times its relative rate. 1 where there is none.
    package var relativeRates: [Double: Double] = [:]
    /// Tokens that the model will serve in its life; each costs a forward pass of the same budget.
    package var inferenceTokens = 0.0
    package var memory: MemoryLimit?
    package var maximumTotal: Double?
    package var maximumTokens: Double?
    /// Upper limit on D/N_act.
    package var maximumTokensPerParameter: Double?
    /// E, G and K to choose from.
    package var experts: [Double]
    package var granularities: [Double] = [1]
    package var topKs: [Double] = [1]
    package var vocabularySize = 50257.0
    /// Tokens of a sequence.
    package var context = 512.0
    /// Whether `flops` are the trainer's, as a measured rate times hours is, or counted like the law's paper.
    package var countsLikeTrainer = false

    package init(experts: [Double]) { self.experts = experts }

    /// What one device holds: the model, and keys and values of a cache.
    package struct MemoryLimit: Sendable, Equatable {
        package var bytes: Double
        package var bytesPerParameter: Double
        /// T: tokens whose keys and values are kept, `2·T·blocks·d` numbers of the weights' type.
        package var cachedTokens: Double

        package init(bytes: Double, bytesPerParameter: Double = 2, cachedTokens: Double = 0) {
            self.bytes = bytes
            self.bytesPerParameter = bytesPerParameter
            self.cachedTokens = cachedTokens
        }

        package func bytes(for shape: Architecture, _ counting: Counting) -> Double {
            let cache = 2 * cachedTokens * shape.blocks * shape.dModel
            return (counting.storedParameters(shape) + cache) * bytesPerParameter
        }
    }

    /// - Throws: a `Failure` about numbers that make no sense for `law`
    package func validate(for law: LawMetadata) throws(Failure) {
        try positive(flops, "--flops", "1e20")
        for rate in relativeRates.values { try positive(rate, "--rate", "50,48,41") }
        try positive(maximumTotal, "--max-total", "7e9")
        try positive(maximumTokens, "--max-tokens", "300e9")
        try positive(maximumTokensPerParameter, "--max-ratio", "400")
        try positive(memory?.bytes, "--memory", "24")
        try positive(memory?.bytesPerParameter, "--bytes-per-parameter", "2")
        for (flag, value, example) in [("--vocabulary-size", vocabularySize, "50257"), ("--context", context, "512")] {
            guard value >= 1, value == value.rounded(), value <= 1e9 else {
                throw Failure(
                    .usage, "\(flag) must be a whole number from 1 to 1e9, not \(value)",
                    advice: "for example \(flag) \(example)")
            }
        }
        let counts = 0...Self.most
        guard counts.contains(inferenceTokens), counts.contains(memory?.cachedTokens ?? 0) else {
            throw Failure(.usage, "--inference-tokens and --cache-tokens must be numbers from 0 to \(Self.most)")
        }
        for (flag, values) in [("--experts", experts), ("--granularity", granularities), ("--top-k", topKs)] {
            if let wrong = values.first(where: { !($0 >= 1 && $0 == $0.rounded() && $0 <= 1e6) }) {
                throw Failure(
                    .usage, "\(flag) must be whole numbers from 1 to 1000000, not \(wrong)",
                    advice: "for example \(flag) 1,2,4,8")
            }
        }
        guard !experts.isEmpty, !granularities.isEmpty, !topKs.isEmpty else {
            throw Failure(.usage, "--experts, --granularity and --top-k must not be empty lists")
        }
        try requireVariables(of: law)
        try requireBounds(for: law)
    }

    /// Beyond every computer and every text.
    static let most = 1e40

    private func positive(_ value: Double?, _ flag: String, _ example: String) throws(Failure) {
        guard let value, !(value > 0 && value <= Self.most) else { return }
        throw Failure(
            .usage, "\(flag) must be a positive number, at most \(Self.most), not \(value)",
            advice: "for example \(flag) \(example)")
    }

    /// A law that does not see G or K cannot choose between them.
    private func requireVariables(of law: LawMetadata) throws(Failure) {
        if granularities != [1], !law.variables.contains(.granularity) {
            throw Failure(
                .usage, "the law `\(law.name)` says nothing about granularity",
                advice: "leave --granularity out, or use --law \(LawCatalog.names(with: .granularity))")
        }
        if law.denseBaseline != nil, experts.allSatisfy({ $0 == 1 }), granularities.contains(where: { $0 != 1 }) {
            throw Failure(
                .usage, "--granularity has no effect with --experts 1: a dense feed-forward is not divided",
                advice: "leave --granularity out, or give more experts, for example --experts 64")
        }
        if topKs != [1], !law.variables.contains(.topK) {
            throw Failure(
                .usage, "the law `\(law.name)` says nothing about top-k",
                advice: "leave --top-k out, or use --law \(LawCatalog.names(with: .topK))")
        }
        if experts.contains(where: { $0 != 1 }), !law.variables.contains(.experts), law.domain.experts == 1...1 {
            throw Failure(
                .usage, "the law `\(law.name)` knows dense models only", advice: "use --experts 1, or another --law")
        }
    }

    private func requireBounds(for law: LawMetadata) throws(Failure) {
        guard flops == nil else { return }
        let sizeIsBounded = memory != nil || maximumTotal != nil
        let tokensAreBounded =
            maximumTokens != nil || maximumTokensPerParameter != nil || !law.variables.contains(.tokens)
        guard sizeIsBounded, tokensAreBounded else {
            throw Failure(
                .usage, "without a compute budget the best model is infinitely large, trained for ever",
                advice: "give --flops (or --nodes, --cores, --rate and --hours), or bound both the model (--memory, "
                    + "--max-total) and the training (--max-tokens, --max-ratio)")
        }
    }
}
