/// Everything of a checkpoint that is not a tensor: where training stands and what it was made with.
///
/// Random numbers are functions of seed and step, so there is no generator state to keep.
package struct CheckpointRecord: Sendable, Equatable {
    /// The run's name; part of every shard's file name.
    package var run: String
    /// Optimizer steps done.
    package var step: Int
    /// Tokens trained on.
    package var tokens: Int
    /// Sequences drawn from the training data; nil in checkpoints of versions that did not store it.
    package var sequences: Int?
    package var seed: UInt64
    /// Steps into the learning-rate schedule.
    package var schedulePosition: Int
    /// Micro-batches drawn from the data so far.
    package var dataPosition: Int
    /// Bytes of `metrics.jsonl` that belong to the steps done.
    package var metricsBytes: Int
    /// The kernel set that computed the numbers; exact resumption needs the same.
    package var kernels: String
    /// Name to version of this program and of the libraries that matter.
    package var versions: [String: String]
    /// The resolved configuration, YAML.
    package var configuration: String
    package var tokenizer: String
    /// Whatever else a program wants to find again. Keys are names without `/`.
    package var extras: [String: String]

    package init(
        run: String, step: Int, tokens: Int = 0, sequences: Int? = nil, seed: UInt64 = 0, schedulePosition: Int = 0,
        dataPosition: Int = 0,
        metricsBytes: Int = 0, kernels: String = "", versions: [String: String] = [:], configuration: String = "",
        tokenizer: String = "", extras: [String: String] = [:]
    ) {
        self.run = run
        self.step = step
        self.tokens = tokens
        self.sequences = sequences
        self.seed = seed
        self.schedulePosition = schedulePosition
        self.dataPosition = dataPosition
        self.metricsBytes = metricsBytes
        self.kernels = kernels
        self.versions = versions
        self.configuration = configuration
        self.tokenizer = tokenizer
        self.extras = extras
    }
}
