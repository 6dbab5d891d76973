import Configuration
package import Diagnostics
package import Model
package import Tensors

/// A directory of Hugging Face as a model of ours: parameters of our names and layouts, put together from its tensors.
package final class ImportedModel {
    package let directory: String
    package let configuration: ImportedConfiguration
    let files: WeightFiles
    /// The tensors that make up a parameter's matrices: parameter, then expert. None for one that the class does not have: a
    /// Llama has no router, whose place is filled with zeros, which every token passes with a gate of 1.
    private let parts: [String: [Int: [Part]]]
    /// The tensors that make up the matrix read last: it is read some rows at a time, and they hold its columns.
    private var last: (parameter: String, matrix: Int, tensors: [String: Vector<Float>])?

    private struct Part {
        let name: String
        /// Of our matrix, which the tensor fills; nil for a parameter that is stored as ours is.
        let columns: Range<Int>?
        /// Which of the tensor's rows goes into each of them.
        let rows: [Int]
    }

    /// Every tensor is expected, of the right shape, and none is missing; tensors that must add nothing do not.
    /// - Throws: `data`, naming what is missing, unexpected or more than this program can hold
    package init(_ directory: String) throws(Failure) {
        self.directory = directory
        let stated = try ImportedConfiguration(directory: directory)
        files = try WeightFiles(directory)
        configuration = try stated.settled(by: files)
        let expected = try ExpectedTensors(configuration, in: files)
        var parts: [String: [Int: [Part]]] = [:]
        for tensor in expected.tensors {
            let name = tensor.entry.name
            switch tensor.contents {
            case .whole(let parameter): parts[parameter] = [0: [Part(name: name, columns: nil, rows: [])]]
            case .transposed(let parameter, let expert, let columns, let order):
                let part = Part(name: name, columns: columns, rows: order.rows(columns))
                parts[parameter, default: [:]][expert ?? 0, default: []].append(part)
            case .filler: break
            }
        }
        self.parts = parts
        try expected.requireFillers(in: files)
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

    /// Whether the directory's class has the parameter.
    func holds(_ entry: ParameterEntry) -> Bool { parts[entry.name] != nil }

    /// Rows `rows` of one matrix of a parameter: of expert `matrix`, or of the only one.
    /// - Returns: `[rows, columns]`
    package func read(_ entry: ParameterEntry, matrix: Int, rows: Range<Int>) throws(Failure) -> Vector<Float> {
        let values = Vector<Float>(count: rows.count * entry.columns)
        guard let parts = parts[entry.name]?[matrix] else { return values }
        if last?.parameter != entry.name || last?.matrix != matrix { last = (entry.name, matrix, [:]) }
        for part in parts {
            guard let columns = part.columns else {
                return try files.read(part.name, rows.lowerBound * entry.columns..<rows.upperBound * entry.columns)
            }
            let shape = try files.stored(part.name).shape, rowLength = shape.count > 1 ? shape[1] : 1
            let to = Tensor(values, rows: rows.count, columns: entry.columns).columns(columns)
            copyTransposed(try tensor(part.name), rowLength: rowLength, part.rows, rows, into: to)
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
            var row = unsafe target.unsafeMutableRow(r)
            for out in o..<min(o + tile, target.columns) {
                row[out] = from[order[out] * rowLength + range.lowerBound + r]
            }
        }
    }
}
