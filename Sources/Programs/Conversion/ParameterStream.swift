import Checkpoints
import Configuration
import Diagnostics
import Inference
import Model
import Parallelism
import Tensors

extension ModelShape {
    /// All parameters, with all experts on one rank.
    var layoutOfAllExperts: ParameterLayout { ParameterLayout(self, .all) }
}

extension StreamedCheckpoint {
    /// A checkpoint of parameters alone.
    /// - Parameter numbers: some rows of a parameter
    /// - Returns: bytes written
    static func write(
        _ record: CheckpointRecord, _ layout: ParameterLayout, to target: String,
        numbers: (ParameterEntry, Rectangle) throws(Failure) -> Vector<Float>
    ) throws(Failure) -> Int {
        let entries = Dictionary(uniqueKeysWithValues: layout.entries.map { ("parameters/\($0.name)", $0) })
        let parts = layout.entries.map { Entry(name: "parameters/\($0.name)", shape: $0.storedShape) }
        return try write(record, parts, to: target) { name, part throws(Failure) in
            guard let entry = entries[name] else { throw Failure(.software, "no parameter is called \(name)") }
            return try numbers(entry, part)
        }
    }
}
