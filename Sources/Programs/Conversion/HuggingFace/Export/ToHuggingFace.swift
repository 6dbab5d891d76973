import JSON
import Checkpoints
import Configuration
import Data
package import Diagnostics
import Parallelism
import Platform
import Tensors
import Tokenizers

/// Writes a checkpoint as a directory that `transformers` loads.
package struct ToHuggingFace {
    private let source: SourceCheckpoint
    private let huggingFaceClass: any ExportedClass
    private let plan: ShardPlan

    /// Bytes of a shard where nothing else is said; what `transformers` takes.
    package static let defaultShardBytes = 5_000_000_000

    /// - Throws: `configuration` for a model that no class of `transformers` holds exactly
    package init(_ source: SourceCheckpoint, profile: ExportProfile, shardBytes: Int) throws(Failure) {
        self.source = source
        let model = source.configuration.model
        huggingFaceClass = try HuggingFaceClasses.holding(model, source.configuration.routing, profile: profile)
        plan = ShardPlan(huggingFaceClass.tensors(of: model).joined(), limit: shardBytes)
    }

    package var files: Int { plan.files.count }
    package var tensors: Int { plan.files.reduce(0) { $0 + $1.tensors.count } }
    package var bytes: Int { plan.totalBytes }
    package var className: String { type(of: huggingFaceClass).name }

    /// The names of all classes that a model can become.
    package static var classNames: [String] { HuggingFaceClasses.exported.map { $0.name } }

    /// What the class cannot say; for the user to know.
    package var notes: [String] {
        var notes: [String] = []
        if source.configuration.routing.evaluationCapacityFactor != nil {
            notes.append("routing.evaluation_capacity_factor drops tokens; Hugging Face never does")
        }
        if source.configuration.data.documentMask {
            notes.append(
                "data.document_mask has no counterpart in Hugging Face's model: it is the same for one document at a time; who packs "
                    + "several into a sequence must pass its own mask and positions")
        }
        return notes + huggingFaceClass.notes
    }

    /// Writes all files into `directory`, which exists and is empty.
    /// - Parameter report: takes the bytes of tensors written so far
    package func write(to directory: String, report: (Int) -> Void) throws(Failure) {
        let parameters = ParameterSource(source.reader)
        var written = 0
        for file in plan.files {
            let writer = try SafetensorsWriter("\(directory)/\(file.name)", file.tensors.map(\.entry))
            for tensor in file.tensors {
                try writer.begin(tensor.entry.name)
                try parameters.read(tensor) { values throws(Failure) in try writer.append(values) }
                written += tensor.entry.bytes
                report(written)
            }
            try writer.finish()
        }
        try source.reader.close()
        let configuration = source.configuration, tokenizer = source.tokenizer
        if let index = try plan.index() { try write(index, "\(directory)/model.safetensors.index.json") }
        try write(JSONFile.encode(settings), "\(directory)/config.json")
        let generation = GenerationConfiguration(endOfText: tokenizer.endOfText)
        try write(JSONFile.encode(generation), "\(directory)/generation_config.json")
        let exported = try ExportedTokenizer(tokenizer, context: configuration.model.context)
        try write(exported.json(), "\(directory)/tokenizer.json")
        try write(exported.settings(), "\(directory)/tokenizer_config.json")
    }

    /// `config.json`
    private var settings: [String: JSONValue] {
        let model = source.configuration.model, found = type(of: huggingFaceClass)
        var all = CommonSettings.values(of: model, endOfText: source.tokenizer.endOfText)
        all["architectures"] = .list([.text(found.name)])
        all["model_type"] = .text(found.modelType)
        return all.merging(huggingFaceClass.settings(of: model, source.configuration.routing)) { $1 }
    }

    private func write(_ bytes: [UInt8], _ path: String) throws(Failure) {
        let file = try AtomicFile(path)
        try file.append(bytes.span)
        try file.commit()
    }
}
