import Configuration
import Diagnostics
import Tensors

/// The tensors that `config.json` asks for, all of which are there, and no others.
struct ExpectedTensors {
    /// In the order of the model.
    private(set) var tensors: [ClassTensor] = []

    /// - Throws: `data` naming a tensor that is missing, of another shape, or without a place
    init(_ configuration: ImportedConfiguration, in files: WeightFiles) throws(Failure) {
        var names: Set<String> = [], missing: [String] = []
        for part in configuration.huggingFaceClass.tensors(of: configuration.model) {
            // A config.json may ask for more than fits into memory.
            guard missing.count <= files.tensors.count else { break }
            for tensor in part {
                names.insert(tensor.entry.name)
                if files.tensors[tensor.entry.name] == nil {
                    missing.append(tensor.entry.name)
                } else {
                    try Self.requireShape(of: tensor, in: files)
                    tensors.append(tensor)
                }
            }
        }
        if missing.count <= files.tensors.count {
            try Self.requireNoOthers(besides: names, of: configuration.model, in: files)
        }
        guard let first = missing.first else { return }
        throw Failure(
            .data, "\(files.directory): the tensor `\(first)` is missing", advice: "the directory is not complete")
    }

    private static func requireNoOthers(
        besides names: Set<String>, of model: ModelShape, in files: WeightFiles
    ) throws(Failure) {
        for name in files.tensors.keys.sorted() where !names.contains(name) && !isWithoutEffect(name) {
            if try isTiedHead(name, of: model, in: files) { continue }
            throw Failure(
                .data, "\(files.directory): there is no place for the tensor `\(name.prefix(200))`",
                advice: "the model has a part that config.json does not speak of or that is not supported")
        }
    }

    /// Frequencies of the rotary positions, which follow from `rope_theta`: files of 2023 hold them.
    private static func isWithoutEffect(_ name: String) -> Bool { name.hasSuffix(".rotary_emb.inv_freq") }

    /// Whether the tensor is the embedding once more, in a model whose head is the embedding.
    /// - Throws: `data` if it should be and is not
    private static func isTiedHead(
        _ name: String, of model: ModelShape, in files: WeightFiles
    ) throws(Failure) -> Bool {
        guard model.tieEmbeddings, name == "lm_head.weight" else { return false }
        guard try files.areEqual(name, embeddingTensor(model).entry.name) else {
            throw Failure(
                .data, "\(files.directory): `\(name)` is not the embedding, although config.json ties the two",
                advice: "set `tie_word_embeddings` to false in config.json if the head is one of its own")
        }
        return true
    }

    private static func requireShape(of tensor: ClassTensor, in files: WeightFiles) throws(Failure) {
        let name = tensor.entry.name, expected = tensor.entry.shape, stored = try files.stored(name).shape
        guard stored != expected else { return }
        throw Failure(.data, "\(files.directory): `\(name)` has shape \(stored), config.json wants \(expected)")
    }

    /// - Throws: `data` naming a tensor that holds nothing of our models, and numbers that do not add nothing
    func requireFillers(in files: WeightFiles) throws(Failure) {
        for tensor in tensors {
            guard case .filler(_, let accepted) = tensor.contents else { continue }
            let name = tensor.entry.name
            switch accepted {
            case .checked: break
            // Zero times NaN is NaN.
            case .finite: try files.requireFinite(name)
            case .zeros(let feature):
                guard try files.isZero(name) else {
                    throw Failure(.data, "\(files.directory): `\(name)` is not zero: \(feature) are not supported")
                }
            }
        }
    }
}
