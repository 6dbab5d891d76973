import Checkpoints
import Configuration
import Diagnostics
import Model

/// Whether a run may go on from a checkpoint with the configuration it is given now.
enum Resumption {
    /// Another value of these would make it another training; everything else (lengths, schedules, cadences, precision,
    /// layout) may change between two starts of one run.
    private static let definingKeys = [
        "seed", "batch.micro_batch_tokens", "batch.ramp", "batch.tokens", "optimizer.kind",
    ]
    private static let meaningfulSections = ["model.", "data.", "routing."]

    /// - Parameters:
    ///   - record: of the checkpoint
    ///   - stored: the configuration in it
    ///   - vocabulary: of the checkpoint's tokenizer
    ///   - allowed: keys that the user allows to change all the same
    /// - Returns: the changes that are allowed, as `key: old → new`, to be told
    /// - Throws: `configuration`, naming every key that must not change
    static func changes(
        from record: CheckpointRecord, _ stored: RunConfiguration, to given: RunConfiguration, vocabulary: Int,
        allowing allowed: Set<String>
    ) throws(Failure) -> [String] {
        let old = try stored.resolved(tokenizer: vocabulary)
        let configuration = try given.resolved(tokenizer: vocabulary)
        let stored = Dictionary(uniqueKeysWithValues: old.values.map { ($0.key, $0.value) })
        var refused: [String] = [], told: [String] = []
        for (key, value) in configuration.values where stored[key] != value {
            // `auto` and the number that it stands for are the same.
            if key == "model.vocabulary_size", old.model.vocabularySize == configuration.model.vocabularySize {
                continue
            }
            let change = "\(key): \(stored[key] ?? "absent") → \(value)"
            if changesMeaning(key) && !allowed.contains(key) { refused.append(change) } else { told.append(change) }
        }
        guard refused.isEmpty else {
            throw Failure(
                .configuration,
                "the run in \(configuration.directory) was started with another configuration: "
                    + refused.joined(separator: "; "),
                advice: "restore the values, choose another run.directory, or say "
                    + refused.map { "--allow-change \($0.prefix { $0 != ":" })" }.joined(separator: " "))
        }
        return told
    }

    private static func changesMeaning(_ key: String) -> Bool {
        definingKeys.contains(key) || meaningfulSections.contains { key.hasPrefix($0) }
    }
}
