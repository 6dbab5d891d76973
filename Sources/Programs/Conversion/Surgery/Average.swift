import Checkpoints
import Configuration
package import Diagnostics
import Model
import Tensors
import Tokenizers

/// One model with the weighted mean of the parameters of several, `Σ w_i·x_i / Σ w_i`, added in double precision in the given order.
///
/// Wortsman et al., "Model soups" (arXiv:2203.05482), of fine-tuned models; Li et al., "Model Merging in Pre-training of Large Language
/// Models" (arXiv:2505.12082), of checkpoints of one run.
package struct Average {
    private let sources: [SourceCheckpoint]
    /// They add up to 1.
    private let weights: [Double]

    /// - Parameters:
    ///   - sources: of one model and tokenizer; the configuration of the first becomes that of the mean
    ///   - weights: one for each, above 0; nil: equal ones
    /// - Throws: `usage` if weights and checkpoints do not fit, `data` if models or tokenizers differ
    package init(_ sources: [SourceCheckpoint], weights: [Double]? = nil) throws(Failure) {
        guard sources.count > 1 else {
            throw Failure(.usage, "an average needs at least two checkpoints, and then the one to write")
        }
        let weights = weights ?? sources.map { _ in 1 }, sum = weights.reduce(0, +)
        guard weights.count == sources.count else {
            throw Failure(
                .usage, "--weights has \(weights.count) numbers for \(sources.count) checkpoints",
                advice: "give one for each")
        }
        guard sum.isFinite, let least = weights.min(), least > 0, least / sum > 0 else {
            throw Failure(
                .usage, "--weights \(weights.map(shortest).joined(separator: ",")): weights are finite numbers above 0")
        }
        for other in sources.dropFirst() { try Self.requireSameModel(sources[0], other) }
        self.sources = sources
        self.weights = weights.map { $0 / sum }
    }

    /// - Parameter versions: of this program's libraries, for the record
    /// - Returns: bytes written
    package func write(to target: String, run: String, versions: [String: String]) throws(Failure) -> Int {
        let bytes = try sources[0].derive(
            sources[0].configuration, to: target, run: run, versions: versions,
            from: sources.map(\.reader.directory)
        ) { entry, part throws(Failure) in try mean(entry, part) }
        for source in sources { try source.reader.close() }
        return bytes
    }

    private func mean(_ entry: ParameterEntry, _ part: Rectangle) throws(Failure) -> Vector<Float> {
        let sums = Vector<Double>(count: part.count)
        for (source, weight) in zip(sources, weights) {
            let values = try source.read(entry, part)
            for i in 0..<part.count { sums[i] += weight * Double(values[i]) }
        }
        let mean = Vector<Float>(count: part.count)
        for i in 0..<part.count { mean[i] = Float(sums[i]) }
        return mean
    }

    /// The same shapes would not do: parameters mean what model and routing make of them.
    private static func requireSameModel(_ first: SourceCheckpoint, _ other: SourceCheckpoint) throws(Failure) {
        let names = "\(first.reader.directory) and \(other.reader.directory)"
        let (one, two) = (first.configuration, other.configuration)
        let stored = Dictionary(uniqueKeysWithValues: two.values.map { ($0.key, $0.value) })
        let different = one.values.filter { $0.key.hasPrefix("model.") && stored[$0.key] != $0.value }
        guard one.model == two.model, one.routing.normalizeGates == two.routing.normalizeGates else {
            let keys = different.map { "\($0.key): \($0.value) and \(stored[$0.key] ?? "absent")" }
            throw Failure(
                .data,
                "\(names) are different models: "
                    + (keys.isEmpty ? "their routing differs" : keys.joined(separator: "; ")),
                advice: "average checkpoints of one model, such as those of one run or of its branches")
        }
        guard first.tokenizer.identity == other.tokenizer.identity else {
            throw Failure(
                .data, "\(names) have different tokenizers: their parameters are of different tokens",
                advice: "average checkpoints of one tokenizer")
        }
    }
}
