import Checkpoints
import Configuration
import Data
package import Diagnostics
import Kernels
import Model
import Parallelism
import Platform
import RunFormat
import Tensors
package import Tokenizers

/// Writes a directory of Hugging Face as a checkpoint: parameters without an optimizer's moments, to evaluate or to begin
/// a run with.
package struct FromHuggingFace {
    private let model: ImportedModel
    private let tokenizer: any Tokenizer
    private let configuration: ResolvedConfiguration

    /// - Parameters:
    ///   - tokenizer: instead of the directory's own
    ///   - context: tokens of a sequence, if fewer than the model allows
    /// - Throws: naming whatever the directory asks for that our models do not do
    package init(_ directory: String, tokenizer given: (any Tokenizer)?, context: Int?) throws(Failure) {
        model = try ImportedModel(directory)
        guard let tokenizer = given == nil ? try Self.tokenizer(in: directory) : given else {
            throw Failure(
                .noInput, "\(directory) has no tokenizer.json, and a checkpoint holds a tokenizer",
                advice: "say --tokenizer byte, or --tokenizer FILE for a file of merges")
        }
        self.tokenizer = tokenizer
        var shape = model.configuration.model
        if let context {
            guard (1...shape.context).contains(context) else {
                throw Failure(.usage, "--context \(context): the model was made for at most \(shape.context)")
            }
            shape.context = context
        }
        configuration = try Self.configuration(shape, normalizesGates: model.configuration.normalizesGates)
            .resolved(tokenizer: tokenizer.vocabularySize)
    }

    /// Nil if there is no file of it.
    private static func tokenizer(in directory: String) throws(Failure) -> (any Tokenizer)? {
        let path = "\(directory)/tokenizer.json"
        return fileExists(path) ? try readTokenizer(inFile: path) : nil
    }

    private static func configuration(
        _ model: ModelShape, normalizesGates: Bool
    ) throws(Failure) -> RunConfiguration {
        let microBatch = max(1, 2048 / model.context) * model.context
        var written = WrittenConfiguration()
        // Where the model learned what it knows is not recorded there.
        written.add("data", ["train": .word("[unknown]")])
        written.add(
            "model",
            [
                "d_model": .integer(model.dModel), "layers": .integer(model.layers),
                "heads": .integer(model.attention.heads), "kv_heads": .integer(model.attention.keyValueHeads),
                "head_size": .integer(model.attention.headSize),
                "attention_bias": .word(model.attention.bias.rawValue),
                "qk_norm": .word(model.attention.queryKeyNorm.rawValue),
                "context": .integer(model.context), "vocabulary_size": .integer(model.vocabularySize),
                "experts": .word("\(model.experts)"), "top_k": .integer(model.topK),
                "feed_forward": .number(model.feedForward),
                "shared_experts": .integer(model.shared.count(expertHiddenSize: model.expertHiddenSize)),
                "shared_hidden_size": model.shared == .none ? .word("auto") : .integer(model.shared.hiddenSize),
                "shared_gate": .boolean(model.shared.isGated),
                "dense_layers": .word(model.dense.description),
                "dense_hidden_size": model.dense == .none ? .word("auto") : .integer(model.dense.hiddenSize),
                "tie_embeddings": .boolean(model.tieEmbeddings),
                "norm_epsilon": .number(model.normEpsilon), "rope_base": .number(model.rotary.base),
                "rope_scaling": .word(model.rotary.scaling.rawValue), "rope_factor": .number(model.rotary.factor),
                "rope_original_context": model.rotary.originalContext.map { .integer($0) } ?? .word("auto"),
                "rope_low_rotations": .number(model.rotary.lowRotations),
                "rope_high_rotations": .number(model.rotary.highRotations),
            ])
        written.add("routing", ["normalize_gates": .boolean(normalizesGates)])
        written.add("batch", ["tokens": .integer(microBatch), "micro_batch_tokens": .integer(microBatch)])
        written.add("train", ["steps": 1])
        return try written.read(as: "config.json")
    }

    /// What of the directory is left aside; for the user to know.
    package var notes: [String] { model.notes }

    /// - Parameter versions: of this program's libraries, for the record
    /// - Returns: bytes written
    package func write(to target: String, run: String, versions: [String: String]) throws(Failure) -> Int {
        let record = CheckpointRecord(
            run: run, step: 0, versions: versions, configuration: configuration.yaml,
            tokenizer: tokenizer.serialized,
            extras: ["converted_from": "\(model.directory)"])
        return try StreamedCheckpoint.write(
            record, configuration.model.layoutOfAllExperts, to: target
        ) { entry, part throws(Failure) in
            try numbers(entry, part)
        }
    }

    private func numbers(_ entry: ParameterEntry, _ part: Rectangle) throws(Failure) -> Vector<Float> {
        switch part.shape.count {
        case 1:
            let all = try model.read(entry, matrix: 0, rows: 0..<1)
            return all[part.offset[0]..<part.offset[0] + part.shape[0]]
        case 2: return try model.read(entry, matrix: 0, rows: part.offset[0]..<part.offset[0] + part.shape[0])
        default:
            let values = Vector<Float>(count: part.count), size = entry.rows * entry.columns
            for index in 0..<part.shape[0] {
                let matrix = try model.read(entry, matrix: part.offset[0] + index, rows: 0..<entry.rows)
                values[index * size..<(index + 1) * size].copy(from: matrix)
            }
            return values
        }
    }
}
