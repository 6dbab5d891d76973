package import Configuration
package import Diagnostics
import Randomness

/// The training sequences of a run from all its sources, numbered from 0: sequence n is a pure function of (seed, n).
///
/// `MixtureOrder` says which sequence of which source it is; each source has `TrainingWindows` of its own, and so epochs of its own. One
/// source alone is its windows.
package struct Mixture: Sendable {
    /// What a source gives to a run.
    package struct Part: Sendable {
        /// `data.train[1] (web.jsonl)`
        package let name: String
        package let amount: DataSource.Amount
        package let windows: TrainingWindows
        /// Windows of which the proportions follow, if the amount is in epochs.
        fileprivate var windowsOfEpochs: Int? {
            guard case .epochs(let epochs) = amount else { return nil }
            return Int(min(epochs * Double(windows.windowsPerEpoch), 0x1p40))
        }

        /// Sequences that it has for a run; nil if it is repeated.
        package var limit: Int? {
            if case .weight(_, repeats: true) = amount { return nil }
            return windowsOfEpochs ?? windows.windowsPerEpoch
        }
    }

    package let parts: [Part]
    package let context: Int
    private let order: MixtureOrder

    /// - Parameters:
    ///   - datasets: the tokens of each of `sources`
    ///   - sources: `data.train`
    /// - Throws: `data` if one of them does not hold a window and the token after it
    package init(
        _ datasets: [TokenDataset], of sources: [DataSource], context: Int, seed: UInt64
    ) throws(Failure) {
        precondition(datasets.count == sources.count)
        let random = RandomFunction(seed: seed, purpose: .mixture)
        var parts: [Part] = []
        for (index, (dataset, source)) in zip(datasets, sources).enumerated() {
            let own = sources.count == 1 ? seed : random.bits(1 << 32 + UInt64(index))
            let name = sources.count == 1 ? "data.train" : "data.train[\(index)]"
            let paths = source.paths.prefix(3).joined(separator: ", ") + (source.paths.count > 3 ? ", …" : "")
            let part = Part(
                name: "\(name) (\(paths))", amount: source.amount,
                windows: try TrainingWindows(dataset, context: context, seed: own))
            guard part.windowsOfEpochs != 0 else {
                throw Failure(
                    .data,
                    "\(part.name) has \(part.windows.windowsPerEpoch) sequences of \(context) tokens: its epochs are less than one",
                    advice: "raise its epochs, or leave it out")
            }
            parts.append(part)
        }
        self.parts = parts
        self.context = context
        order = MixtureOrder(shares: Self.shares(of: parts)) { random.integer(UInt64($0), below: $1) }
    }

    /// Weights in units of 2^-60 of their sum, or windows.
    private static func shares(of parts: [Part]) -> [UInt64] {
        let weights = parts.map(\.amount.weight)
        let sum = weights.reduce(0, +)
        return zip(parts, weights).map { (part, weight) -> UInt64 in
            if let windows = part.windowsOfEpochs { return UInt64(windows) }
            return UInt64(weight / sum * 0x1p60)
        }
    }

    /// How many of the first `n` sequences are of each source.
    package func counts(ofFirst n: Int) -> [Int] { order.counts(ofFirst: n) }

    /// Sequence `n` is sequence `number` of a source.
    package func place(ofSequence n: Int) -> (source: Int, number: Int) { order.place(of: n) }

    /// - Throws: `data` if a source that is not repeated has fewer than its part of the first `n` sequences
    package func requireEnough(for n: Int) throws(Failure) {
        for (part, needed) in zip(parts, counts(ofFirst: n)) {
            guard let limit = part.limit, needed > limit else { continue }
            let isWeight = if case .weight = part.amount { true } else { false }
            throw Failure(
                .data,
                "\(part.name) runs out: it has \(limit * context) tokens for the run in \(limit) sequences, and the run needs "
                    + "\(needed * context) tokens of it in \(needed)",
                advice: isWeight
                    ? "set `repeat: true` for it, lower its weight, give epochs instead of weights, or train on fewer tokens"
                    : "raise its epochs, or train on fewer tokens")
        }
    }
}

extension Mixture: SequenceSource {
    package func fill(sequence n: Int, inputs: inout MutableSpan<Int32>, targets: inout MutableSpan<Int32>) {
        let (source, number) = place(ofSequence: n)
        parts[source].windows.fill(sequence: number, inputs: &inputs, targets: &targets)
    }

    package func documentStarts(ofSequence n: Int, into starts: inout MutableSpan<Int32>) {
        let (source, number) = place(ofSequence: n)
        parts[source].windows.documentStarts(ofSequence: number, into: &starts)
    }

    package var sourceCount: Int { parts.count }

    package func source(ofSequence n: Int) -> Int { place(ofSequence: n).source }
}
