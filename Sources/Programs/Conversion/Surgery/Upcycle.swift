import Checkpoints
import Configuration
package import Diagnostics
import Inference
import Model
import Tensors
import Threading

/// A dense model as a mixture of experts that computes the same: every expert is a copy of the dense feed-forward, the
/// router is new, and gates are divided by their sum, so that `Σ g_j·E(x) = E(x)`.
///
/// Komatsuzaki et al., "Sparse Upcycling: Training Mixture-of-Experts from Dense Checkpoints" (arXiv:2212.05055).
package struct Upcycle {
    private let source: SourceCheckpoint
    private let configuration: ResolvedConfiguration

    /// - Throws: `usage` if the model is not dense or the numbers do not fit
    package init(_ source: SourceCheckpoint, experts: Int, topK: Int) throws(Failure) {
        let model = source.configuration.model
        guard model.dense == .none else {
            throw Failure(
                .usage,
                "\(source.reader.directory) has `model.dense_layers`, which upcycling would keep without experts",
                advice: "name a checkpoint of a model with experts: 1 and no dense_layers: the same computation")
        }
        guard model.isDense else {
            throw Failure(
                .usage,
                "\(source.reader.directory) has \(model.expertCounts.max() ?? 1) experts a layer; upcycling begins with one",
                advice: "name a checkpoint of a model with experts: 1")
        }
        guard (2...65_536).contains(experts), (1...experts).contains(topK) else {
            throw Failure(
                .usage, "--experts \(experts) --top-k \(topK): 2 to 65536 experts, and at most as many choices")
        }
        self.source = source
        configuration = try source.configuration(with: [
            "model.experts=\(experts)", "model.top_k=\(topK)", "routing.normalize_gates=true",
        ])
    }

    /// - Parameter versions: of this program's libraries, for the record
    /// - Returns: bytes written
    package func write(to target: String, run: String, versions: [String: String]) throws(Failure) -> Int {
        try source.derive(configuration, to: target, run: run, versions: versions) { entry, part throws(Failure) in
            if entry.role == .routerState { return Vector(count: part.count) }
            if entry.name.hasSuffix(".router") { return router(entry, part) }
            guard entry.experts != nil else { return try source.read(entry, part) }
            let dense = try source.read(entry, Rectangle(offset: [0, 0, 0], shape: [1, entry.rows, entry.columns]))
            let copies = Vector<Float>(count: part.count)
            for expert in 0..<part.shape[0] {
                copies[expert * dense.count..<(expert + 1) * dense.count].copy(from: dense)
            }
            return copies
        }
    }

    /// As training would begin with it.
    private func router(_ entry: ParameterEntry, _ part: Rectangle) -> Vector<Float> {
        let values = Vector<Float>(count: entry.count)
        Initialization(configuration).fill(values, as: entry, on: ThreadPool(count: 1))
        return values[part.offset[0] * entry.columns..<(part.offset[0] + part.shape[0]) * entry.columns]
    }
}
