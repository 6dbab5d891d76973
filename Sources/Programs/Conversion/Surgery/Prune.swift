import Configuration
package import Diagnostics
import Model
import Tensors

/// The same model with fewer experts: the most used ones stay, in their order, with their columns of the router.
package struct Prune {
    private let source: SourceCheckpoint
    private let configuration: ResolvedConfiguration
    package let kept: KeptExperts

    /// - Parameter experts: in units of a dense feed-forward, as `model.experts`: of each layer, or of the mean layer
    /// - Throws: `usage` if that is more than there are, or fewer than a token chooses
    package init(
        _ source: SourceCheckpoint, experts: Int, by rule: PruningRule, over scope: PruningScope,
        _ calibration: Calibration
    ) throws(Failure) {
        self.source = source
        kept = try KeptExperts(
            experts, of: source.configuration.model, over: scope, scores: calibration.scores(by: rule))
        configuration = try source.configuration(with: ["model.experts=\(kept.experts)"])
    }

    /// - Parameter versions: of this program's libraries, for the record
    /// - Returns: bytes written
    package func write(to target: String, run: String, versions: [String: String]) throws(Failure) -> Int {
        try source.derive(configuration, to: target, run: run, versions: versions) { entry, part throws(Failure) in
            guard let layer = entry.layer else { return try source.read(entry, part) }
            let kept = kept.numbers[layer]
            if entry.role == .routerState { return try state(entry, part, layer, kept) }
            if entry.name.hasSuffix(".router") { return try router(entry, part, layer, kept) }
            guard entry.experts != nil else { return try source.read(entry, part) }
            let values = Vector<Float>(count: part.count), size = entry.rows * entry.columns
            for index in 0..<part.shape[0] {
                let matrix = try source.read(
                    entry,
                    Rectangle(offset: [kept[part.offset[0] + index], 0, 0], shape: [1, entry.rows, entry.columns]))
                values[index * size..<(index + 1) * size].copy(from: matrix)
            }
            return values
        }
    }

    /// Columns `kept` of some rows of a router.
    private func router(
        _ entry: ParameterEntry, _ part: Rectangle, _ layer: Int, _ kept: [Int]
    ) throws(Failure) -> Vector<Float> {
        let all = source.configuration.model.expertCount(inLayer: layer)
        let whole = try source.read(
            entry, Rectangle(offset: [part.offset[0], 0], shape: [part.shape[0], all]))
        let values = Vector<Float>(count: part.count)
        for row in 0..<part.shape[0] {
            for (column, expert) in kept.enumerated() { values[row * kept.count + column] = whole[row * all + expert] }
        }
        return values
    }

    /// The router's state of some of the experts `kept`.
    private func state(
        _ entry: ParameterEntry, _ part: Rectangle, _ layer: Int, _ kept: [Int]
    ) throws(Failure) -> Vector<Float> {
        let all = source.configuration.model.expertCount(inLayer: layer)
        let whole = try source.read(entry, Rectangle(offset: [0], shape: [all]))
        return Vector(kept[part.offset[0]..<part.offset[0] + part.count].map { whole[$0] })
    }
}

extension ParameterEntry {
    /// Of `blocks.3.…`: 3.
    fileprivate var layer: Int? {
        let words = name.split(separator: ".")
        return words.first == "blocks" ? Int(words[1]) : nil
    }
}
