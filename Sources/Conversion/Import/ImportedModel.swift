package import Diagnostics
package import Layers
package import Tensors

/// A directory of Hugging Face as a model of ours: parameters of our names and layouts, put together from its tensors.
package final class ImportedModel {
    package let directory: String
    package let configuration: ImportedConfiguration
    let files: WeightFiles
    /// Which tensors make up a parameter's matrix: parameter, then expert.
    private let parts: [String: [Int: [(name: String, from: Int)]]]
    /// The tensors that make up the matrix read last: it is read some rows at a time, and they hold its columns.
    private var last: (parameter: String, slab: Int, tensors: [String: Vector<Float>])?

    /// Every tensor is expected, of the right shape, and none is missing; tensors that must add nothing do not.
    /// - Throws: `data`, naming what is missing, unexpected or more than this program can hold
    package init(_ directory: String) throws(Failure) {
        self.directory = directory
        configuration = try ImportedConfiguration(directory: directory)
        files = try WeightFiles(directory)
        var parts: [String: [Int: [(name: String, from: Int)]]] = [:]
        for name in files.tensors.keys.sorted() {
            let stored = try files.stored(name)
            guard let (place, shape) = TensorPlace.of(name, in: configuration) else {
                throw Failure(
                    .data, "\(directory): there is no place for the tensor `\(name.prefix(200))`",
                    advice: "the model has a part that config.json does not speak of or that is not supported")
            }
            guard stored.shape == shape else {
                throw Failure(
                    .data, "\(directory): `\(name)` has shape \(stored.shape), config.json wants \(shape)")
            }
            switch place {
            case .whole(let parameter): parts[parameter, default: [:]][0] = [(name, 0)]
            case .columns(let parameter, let expert, let from):
                parts[parameter, default: [:]][expert, default: []].append((name, from))
            case .bias, .sharedExpert, .sharedGate: break
            }
        }
        self.parts = parts
        try requireAll()
        try NeutralParts(self).require()
    }

    /// The parameters of our model, in the order of its layout.
    package var parameters: [ParameterEntry] {
        let model = configuration.model
        return ParameterLayout(model, localExperts: 0..<model.expertCount).entries
    }

    /// A Llama has no router; its place is filled with zeros, which every token passes with a gate of 1.
    func isRouterOfDense(_ entry: ParameterEntry) -> Bool {
        configuration.kind == .llama && entry.name.hasSuffix(".router")
    }

    private func requireAll() throws(Failure) {
        for entry in parameters where !isRouterOfDense(entry) {
            for expert in 0..<entry.slabs {
                var width = 0
                for part in parts[entry.name]?[expert] ?? [] {
                    width += isWhole(entry) ? entry.columns : try files.stored(part.name).shape[0]
                }
                guard width == entry.columns else {
                    let which = entry.slabs > 1 ? " of expert \(expert)" : ""
                    throw Failure(
                        .data, "\(directory): tensors are missing that make up \(entry.name)\(which)",
                        advice: "the directory is not complete")
                }
            }
        }
    }

    private func isWhole(_ entry: ParameterEntry) -> Bool {
        entry.name == "embedding" || entry.name == "head" || !entry.decays
    }

    /// Rows `rows` of one matrix of a parameter: of expert `slab`, or of the only one.
    /// - Returns: `[rows, columns]`
    package func read(_ entry: ParameterEntry, slab: Int, rows: Range<Int>) throws(Failure) -> Vector<Float> {
        let values = Vector<Float>(count: rows.count * entry.columns)
        guard let parts = parts[entry.name]?[slab] else { return values }
        if isWhole(entry) {
            return try files.read(parts[0].name, rows.lowerBound * entry.columns..<rows.upperBound * entry.columns)
        }
        if last?.parameter != entry.name || last?.slab != slab { last = (entry.name, slab, [:]) }
        for part in parts {
            let shape = try files.stored(part.name).shape
            let whole = try tensor(part.name)
            let to = Tensor(values, rows: rows.count, columns: entry.columns).columns(
                part.from..<part.from + shape[0])
            copyTransposed(whole, columns: shape[1], rows, into: to)
        }
        return values
    }

    private func tensor(_ name: String) throws(Failure) -> Vector<Float> {
        if let values = last?.tensors[name] { return values }
        let values = try files.read(name)
        last?.tensors[name] = values
        return values
    }
}

/// `target[r, o] = source[o, range.lowerBound + r]`.
/// - Parameters:
///   - source: `[out, columns]`
///   - target: `[range.count, out]`
private func copyTransposed(_ source: Vector<Float>, columns: Int, _ range: Range<Int>, into target: Tensor) {
    let from = source.span
    let tile = 32
    for o in stride(from: 0, to: target.columns, by: tile) {
        for r in 0..<range.count {
            var row = target.mutableRow(r)
            for out in o..<min(o + tile, target.columns) { row[out] = from[out * columns + range.lowerBound + r] }
        }
    }
}
