import Configuration
package import Diagnostics
package import Model
package import Tensors

/// A directory of Hugging Face as a model of ours: parameters of our names and layouts, put together from its tensors.
package final class ImportedModel {
    package let directory: String
    package let configuration: ImportedConfiguration
    let files: WeightFiles
    /// Which tensors make up a parameter's matrix: parameter, then expert.
    private let parts: [String: [Int: [Part]]]
    /// The tensors that make up the matrix read last: it is read some rows at a time, and they hold its columns.
    private var last: (parameter: String, matrix: Int, tensors: [String: Vector<Float>])?

    /// - Parameters:
    ///   - from: the first of our columns that a tensor fills
    ///   - neighbors: whether heads are in the order of `TensorPlacement.interleavedRotary`
    private typealias Part = (name: String, from: Int, neighbors: Bool)

    /// Every tensor is expected, of the right shape, and none is missing; tensors that must add nothing do not.
    /// - Throws: `data`, naming what is missing, unexpected or more than this program can hold
    package init(_ directory: String) throws(Failure) {
        self.directory = directory
        let stated = try ImportedConfiguration(directory: directory)
        files = try WeightFiles(directory)
        configuration = try stated.settled(by: files)
        var parts: [String: [Int: [Part]]] = [:], unused = 0, withoutPlace: [String] = []
        for name in files.tensors.keys.sorted() {
            let stored = try files.stored(name)
            guard let (place, shape) = TensorPlacement.of(name, in: configuration) else {
                throw Failure(
                    .data, "\(directory): there is no place for the tensor `\(name.prefix(200))`",
                    advice: "the model has a part that config.json does not speak of or that is not supported")
            }
            guard stored.shape == shape else {
                throw Failure(
                    .data, "\(directory): `\(name)` has shape \(stored.shape), config.json wants \(shape)")
            }
            switch place {
            case .whole(let parameter): parts[parameter, default: [:]][0] = [(name, 0, false)]
            case .columns(let parameter, let expert, let from):
                parts[parameter, default: [:]][expert, default: []].append((name, from, false))
            case .interleavedRotary(let parameter, let from):
                parts[parameter, default: [:]][0, default: []].append((name, from, true))
            case .unused:
                unused += 1
                withoutPlace.append(name)
            case .sharedExpert, .sharedGate: withoutPlace.append(name)
            case .bias, .correctionBias: break
            }
        }
        self.parts = parts
        try requireAll(unused: unused)
        try InertTensors(self).require()
        // Zero times NaN is NaN: what adds nothing must be numbers, too.
        for name in withoutPlace { try files.requireFinite(name) }
    }

    /// What of the directory is left aside; for the user to know.
    package var notes: [String] {
        guard !files.unread.isEmpty else { return [] }
        // A name can be anything.
        let names = files.unread.prefix(6).map { name in
            String(String.UnicodeScalarView(name.unicodeScalars.filter { $0.properties.generalCategory != .control }))
        }
        let more = files.unread.count - names.count
        return [
            "\(directory) was saved more than once; left aside, as transformers does: "
                + names.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
        ]
    }

    /// The parameters of our model, in the order of its layout.
    package var parameters: [ParameterEntry] {
        configuration.model.layoutOfAllExperts.entries
    }

    /// A Llama has no router; its place is filled with zeros, which every token passes with a gate of 1.
    func isRouterOfDense(_ entry: ParameterEntry) -> Bool {
        configuration.kind == .llama && entry.name.hasSuffix(".router")
    }

    /// - Parameter unused: tensors found of experts that are never chosen
    private func requireAll(unused: Int) throws(Failure) {
        guard unused == 3 * configuration.unusedExperts else {
            throw Failure(
                .data, "\(directory): tensors of experts are missing", advice: "the directory is not complete")
        }
        for entry in parameters where !isRouterOfDense(entry) {
            for expert in 0..<entry.matrixCount {
                var width = 0
                for part in parts[entry.name]?[expert] ?? [] {
                    width += try self.width(part, of: entry)
                }
                guard width == entry.columns else {
                    let which = entry.matrixCount > 1 ? " of expert \(expert)" : ""
                    throw Failure(
                        .data, "\(directory): tensors are missing that make up \(entry.name)\(which)",
                        advice: "the directory is not complete")
                }
            }
        }
    }

    /// How many of our columns a tensor fills: a router's rows of experts that are never chosen fill none.
    private func width(_ part: Part, of entry: ParameterEntry) throws(Failure) -> Int {
        isWhole(entry) ? entry.columns : min(try files.stored(part.name).shape[0], entry.columns - part.from)
    }

    private func isWhole(_ entry: ParameterEntry) -> Bool {
        entry.name == "embedding" || entry.name == "head" || !entry.hasWeightDecay
    }

    /// Rows `rows` of one matrix of a parameter: of expert `matrix`, or of the only one.
    /// - Returns: `[rows, columns]`
    package func read(_ entry: ParameterEntry, matrix: Int, rows: Range<Int>) throws(Failure) -> Vector<Float> {
        let values = Vector<Float>(count: rows.count * entry.columns)
        guard let parts = parts[entry.name]?[matrix] else { return values }
        if isWhole(entry) {
            return try files.read(parts[0].name, rows.lowerBound * entry.columns..<rows.upperBound * entry.columns)
        }
        if last?.parameter != entry.name || last?.matrix != matrix { last = (entry.name, matrix, [:]) }
        for part in parts {
            let rowLength = try files.stored(part.name).shape[1], width = try width(part, of: entry)
            let size = configuration.model.headSize
            let order = (0..<width).map { column in
                guard part.neighbors else { return column }
                let place = column % size
                return column - place + 2 * (place % (size / 2)) + place / (size / 2)
            }
            let to = Tensor(values, rows: rows.count, columns: entry.columns).columns(part.from..<part.from + width)
            copyTransposed(try tensor(part.name), rowLength: rowLength, order, rows, into: to)
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

/// `target[r, o] = source[order[o], range.lowerBound + r]`.
/// - Parameters:
///   - source: `[out, rowLength]`
///   - target: `[range.count, order.count]`
private func copyTransposed(
    _ source: Vector<Float>, rowLength: Int, _ order: [Int], _ range: Range<Int>, into target: Tensor
) {
    let from = source.span
    let tile = 32
    for o in stride(from: 0, to: target.columns, by: tile) {
        for r in 0..<range.count {
            var row = target.mutableRow(r)
            for out in o..<min(o + tile, target.columns) {
                row[out] = from[order[out] * rowLength + range.lowerBound + r]
            }
        }
    }
}
