import Checkpoints
import Configuration
import Diagnostics
import Model
import Tensors
import Tokenizers

extension SourceCheckpoint {
    /// Some rows of a parameter as the checkpoint holds it.
    func read(_ entry: ParameterEntry, _ part: Rectangle) throws(Failure) -> Vector<Float> {
        try reader.readFinite("parameters/\(entry.name)", offset: part.offset, shape: part.shape)
    }

    /// Writes another model's parameters, made from this one's, as a checkpoint of step 0 without moments.
    /// - Parameters:
    ///   - configuration: of the new model
    ///   - target: the directory to write
    ///   - run: the name of the new checkpoint's run
    ///   - versions: of this program's libraries, for the record
    ///   - origins: the checkpoints that it is made from; nil: this one
    ///   - numbers: some rows of a parameter
    /// - Returns: bytes written
    func derive(
        _ configuration: ResolvedConfiguration, to target: String, run: String, versions: [String: String],
        from origins: [String]? = nil, numbers: (ParameterEntry, Rectangle) throws(Failure) -> Vector<Float>
    ) throws(Failure) -> Int {
        let record = CheckpointRecord(
            run: run, step: 0, seed: configuration.seed, versions: versions,
            configuration: configuration.yaml, tokenizer: tokenizer.serialized,
            extras: ["converted_from": (origins ?? [reader.directory]).joined(separator: ", ")])
        let bytes = try StreamedCheckpoint.write(
            record, configuration.model.layoutOfAllExperts, to: target, numbers: numbers)
        try reader.close()
        return bytes
    }
}
