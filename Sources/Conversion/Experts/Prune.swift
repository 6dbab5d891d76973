import Checkpoints
package import Diagnostics
import Layers
import Tensors
import Training

/// What makes an expert worth keeping.
package enum PruningRule: String, Sendable, CaseIterable {
    /// How often it was chosen: Muzio et al., "SEER-MoE" (arXiv:2404.05089), heavy hitters by hard counts.
    case counts
    /// The router's probability, summed over tokens: the same paper's soft counts.
    case probability
}

/// The same model with fewer experts: in every layer the most used ones stay, in their order, with their columns of the
/// router.
package struct Prune {
    private let source: SourceCheckpoint
    private let configuration: RunConfiguration
    /// `[layers][kept]`: numbers of the experts that stay, ascending.
    package let kept: [[Int]]

    /// - Parameter experts: in units of a dense feed-forward, as `model.experts`
    /// - Throws: `usage` if that is more than there are, or fewer than a token chooses
    package init(_ source: SourceCheckpoint, experts: Int, by rule: PruningRule, _ calibration: Calibration)
        throws(Failure)
    {
        let model = source.configuration.model
        guard (max(1, model.topK)...model.experts).contains(experts) else {
            throw Failure(
                .usage, "--experts \(experts): the model has \(model.experts), and a token chooses \(model.topK)",
                advice: "allowed are \(model.topK) to \(model.experts)")
        }
        self.source = source
        configuration = try source.configuration(with: ["model.experts=\(experts)"])
        let number = configuration.model.expertCount
        kept = (0..<model.layers).map { layer in
            let scores =
                rule == .counts ? calibration.counts[layer].map(Double.init) : calibration.probabilities[layer]
            // Ties to the lowest number, as routing has it.
            return scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }.prefix(number).sorted()
        }
    }

    /// - Returns: bytes written
    package func write(to target: String, run: String) throws(Failure) -> Int {
        try source.derive(configuration, to: target, run: run) { entry, part throws(Failure) in
            guard let layer = entry.layer else { return try source.read(entry, part) }
            if entry.name.hasSuffix(".router") { return try router(entry, part, kept[layer]) }
            guard entry.experts != nil else { return try source.read(entry, part) }
            let values = Vector<Float>(count: part.count), size = entry.rows * entry.columns
            for slab in 0..<part.shape[0] {
                let expert = kept[layer][part.offset[0] + slab]
                let matrix = try source.read(
                    entry, Rectangle(offset: [expert, 0, 0], shape: [1, entry.rows, entry.columns]))
                copy(matrix, into: values[slab * size..<(slab + 1) * size])
            }
            return values
        }
    }

    /// Columns `kept` of some rows of a router.
    private func router(_ entry: ParameterEntry, _ part: Rectangle, _ kept: [Int]) throws(Failure) -> Vector<Float> {
        let all = source.configuration.model.expertCount
        let whole = try source.read(
            entry, Rectangle(offset: [part.offset[0], 0], shape: [part.shape[0], all]))
        let values = Vector<Float>(count: part.count)
        for row in 0..<part.shape[0] {
            for (column, expert) in kept.enumerated() { values[row * kept.count + column] = whole[row * all + expert] }
        }
        return values
    }
}

extension ParameterEntry {
    /// Of `blocks.3.…`: 3.
    fileprivate var layer: Int? {
        let words = name.split(separator: ".")
        return words.first == "blocks" ? Int(words[1]) : nil
    }
}
