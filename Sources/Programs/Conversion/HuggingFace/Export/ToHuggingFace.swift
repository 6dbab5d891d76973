import Checkpoints
import Configuration
import Data
package import Diagnostics
import Parallelism
import Platform
import Tensors
import Training

/// Writes a checkpoint as a directory that `transformers` loads.
package struct ToHuggingFace {
    private let source: SourceCheckpoint
    private let modelClass: ModelClass
    private let plan: ShardPlan

    /// Bytes of a shard where nothing else is said; what `transformers` takes.
    package static let defaultShardBytes = 5_000_000_000

    /// - Throws: `configuration` for a model that no class of `transformers` holds exactly
    package init(_ source: SourceCheckpoint, profile: ExportProfile, shardBytes: Int) throws(Failure) {
        self.source = source
        modelClass = try ModelClass(for: source.configuration.model, source.configuration.routing, profile: profile)
        plan = ShardPlan(exportedTensors(source.configuration.model, as: modelClass), limit: shardBytes)
    }

    package var files: Int { plan.files.count }
    package var tensors: Int { plan.files.reduce(0) { $0 + $1.tensors.count } }
    package var bytes: Int { plan.totalBytes }
    package var className: String { modelClass.name }

    /// What the class cannot say; for the user to know.
    package var notes: [String] {
        var notes: [String] = []
        if source.configuration.routing.evaluationCapacityFactor != nil {
            notes.append("routing.evaluation_capacity_factor drops tokens; Hugging Face never does")
        }
        if modelClass == .llama {
            notes.append("the routers of a model of one expert have no effect and are left out")
        }
        if modelClass == .ernie45Moe {
            notes.append(
                "the class has equally many experts in every layer: zeros that are never chosen fill up the others")
        }
        return notes
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
        let shape = ExportedConfiguration(configuration.model, configuration.routing, as: modelClass, tokenizer)
        try write(JSONFile.encode(shape), "\(directory)/config.json")
        try write(JSONFile.encode(GenerationConfiguration(tokenizer)), "\(directory)/generation_config.json")
        let exported = ExportedTokenizer(tokenizer, context: configuration.model.context)
        try write(exported.json(), "\(directory)/tokenizer.json")
        try write(exported.settings(), "\(directory)/tokenizer_config.json")
    }

    private func write(_ bytes: [UInt8], _ path: String) throws(Failure) {
        let file = try AtomicFile(path)
        try file.append(bytes.span)
        try file.commit()
    }
}
