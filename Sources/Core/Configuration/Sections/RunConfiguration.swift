package import Diagnostics
import Platform
package import Tensors

/// Everything a configuration file says about a run, checked. docs/configuration.md lists the keys.
package typealias RunConfiguration = RunDescription<Int?>

/// The same once the tokenizer is known.
package typealias ResolvedConfiguration = RunDescription<Int>

/// A run whose model's vocabulary is known (`ResolvedConfiguration`) or may not be yet (`RunConfiguration`).
package struct RunDescription<Vocabulary: Sendable & Equatable>: Sendable {
    package var seed: UInt64
    package var precision: Precision
    package var recomputation: Recomputation
    /// Exact mode: the same bits on every layout.
    package var reproducible: Bool
    package var directory: String
    package var data: DataConfiguration
    package var model: ModelDescription<Vocabulary>
    package var routing: RoutingConfiguration
    package var batch: BatchConfiguration
    package var length: TrainConfiguration
    package var optimizer: OptimizerConfiguration
    package var schedule: LearningRateSchedule
    package var parallel: ParallelConfiguration
    package var checkpoint: CheckpointConfiguration
    package var metrics: MetricsConfiguration
    /// All keys with their values, as YAML.
    package let yaml: String
    /// The same as pairs of `section.key` and value.
    package let values: [(key: String, value: String)]

    package var sequencesPerMicroBatch: Int { batch.microBatchTokens / model.context }

    /// Whether the ranks that hold a parameter divide moments and updates among them. Muon does so always: one rank updates a
    /// matrix as a whole.
    package var distributesOptimizer: Bool { parallel.distributedOptimizer || optimizer.kind == .muon }

    /// What trains, but hardly as its author meant.
    package var warnings: [String] {
        var all: [String] = []
        if routing.normalizeGates, model.expertsPerToken == 1, !model.isDense {
            all.append(
                "warning: routing.normalize_gates divides the one gate of a token by itself: it is always 1, and the router learns "
                    + "from its balancing losses alone; leave it false with one expert a token")
        }
        if routing.balancing != .bias, routing.biasUpdateRate != RoutingConfiguration.defaultBiasUpdateRate {
            all.append("warning: routing.bias_update_rate has no effect without `routing.balancing: bias`")
        }
        if optimizer.kind != .muon, optimizer.momentum != OptimizerConfiguration.defaultMomentum {
            all.append(
                "warning: optimizer.momentum has no effect without `optimizer.kind: muon`; AdamW's is optimizer.beta1")
        }
        return all
    }

    private init(_ other: RunDescription<Int?>, model: ModelDescription<Vocabulary>) {
        (seed, precision, recomputation, reproducible) =
            (other.seed, other.precision, other.recomputation, other.reproducible)
        (directory, data, self.model, routing) = (other.directory, other.data, model, other.routing)
        (batch, length, optimizer, schedule) = (other.batch, other.length, other.optimizer, other.schedule)
        (parallel, checkpoint, metrics) = (other.parallel, other.checkpoint, other.metrics)
        (yaml, values) = (other.yaml, other.values)
    }
}

extension RunDescription<Int?> {
    package init(_ document: ConfigurationDocument) throws(Failure) {
        let top = try document.section("")
        seed = try top.unsigned("seed", default: 0)
        precision = try top.choice("precision", default: .float32)
        recomputation = try top.choice("recompute", default: Recomputation.none)
        reproducible = try top.boolean("reproducible", default: false)
        let run = try document.section("run")
        directory = try run.filePath("directory", default: "runs/unnamed")
        guard !directory.isEmpty else { throw run.failure("directory", "is empty; it must name a directory") }
        data = try DataConfiguration(try document.section("data"))
        let modelSection = try document.section("model")
        routing = try RoutingConfiguration(reading: try document.section("routing"))
        model = try ModelConfiguration(reading: modelSection, routerState: routing.balancing.state)
        batch = try BatchConfiguration(
            reading: try document.section("batch"), context: model.context, in: try document.section("train"))
        length = try TrainConfiguration(reading: try document.section("train"), largestBatch: batch.largestStep.tokens)
        optimizer = try OptimizerConfiguration(reading: try document.section("optimizer"))
        schedule = try LearningRateSchedule(reading: try document.section("schedule"))
        parallel = try ParallelConfiguration(reading: try document.section("parallel"))
        checkpoint = try CheckpointConfiguration(reading: try document.section("checkpoint"))
        metrics = try MetricsConfiguration(reading: try document.section("metrics"))
        try document.refuseUnknownKeys()
        yaml = document.resolved
        values = document.resolvedValues
        try requireCountableMicroBatch()
        try requireBranches(try document.section("train"))
        try requireRule(try document.section("optimizer"))
    }

    /// - Parameter tokenizer: the tokenizer's number of tokens
    /// - Throws: `configuration` if the vocabulary that is written is smaller
    package func resolved(tokenizer: Int) throws(Failure) -> ResolvedConfiguration {
        ResolvedConfiguration(self, model: try model.resolved(tokenizer: tokenizer))
    }

    private func requireCountableMicroBatch() throws(Failure) {
        let tokens = Double(batch.microBatchTokens), d = Double(model.dModel)
        let experts = model.expertCounts.reduce(0.0) { $0 + Double($1) }
        let most = Double(model.expertCounts.max() ?? 1)
        let unrouted = Double(max(model.shared.hiddenSize, model.dense.hiddenSize))
        let numbers =
            tokens * experts * (d + 3 * Double(model.expertHiddenSize) + 8)
            + tokens * (16 * d + 3 * unrouted) * Double(model.layers)
        guard numbers < mostMicroBatchNumbers, tokens * most < mostRoutes else {
            throw Failure(
                .configuration,
                "`batch.micro_batch_tokens` is \(batch.microBatchTokens): with this model's layers and experts a micro-batch needs more memory "
                    + "than any machine has",
                advice: "lower batch.micro_batch_tokens, or make the model smaller")
        }
    }
}

/// Beyond this many numbers no machine holds the activations of a micro-batch, and bytes stop fitting into machine words.
private let mostMicroBatchNumbers = 1e16
/// Beyond this many pairs of token and expert capacities stop fitting into machine words.
private let mostRoutes = 1e12
