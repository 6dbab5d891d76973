package import Diagnostics
import Platform
package import Tensors

/// Everything a configuration file says about a run, checked. docs/configuration.md lists the keys.
package struct RunConfiguration: Sendable {
    package var seed: UInt64
    package var precision: Precision
    package var recomputation: Recomputation
    /// Exact mode: the same bits on every layout.
    package var reproducible: Bool
    package var directory: String
    package var data: DataSettings
    package var model: ModelSettings
    package var routing: RoutingSettings
    package var batch: BatchSettings
    package var length: LengthSettings
    package var optimizer: AdamWSettings
    package var schedule: Schedule
    package var parallel: ParallelSettings
    package var checkpoint: CheckpointSettings
    /// All keys with their values, as YAML.
    package let resolved: String
    /// The same as pairs of `section.key` and value.
    package let values: [(key: String, value: String)]

    package init(_ document: SettingsDocument) throws(Failure) {
        let top = try document.section("")
        seed = UInt64(try top.integer("seed", default: 0))
        precision = try top.choice("precision", default: .float32)
        recomputation = try top.choice("recompute", default: Recomputation.none)
        reproducible = try top.boolean("reproducible", default: false)
        let run = try document.section("run")
        directory = try run.filePath("directory", default: "runs/unnamed")
        guard !directory.isEmpty else { throw run.failure("directory", "is empty; it must name a directory") }
        data = try DataSettings(try document.section("data"))
        model = try ModelSettings(reading: try document.section("model"))
        routing = try RoutingSettings(reading: try document.section("routing"))
        batch = try BatchSettings(reading: try document.section("batch"), context: model.context)
        length = try LengthSettings(reading: try document.section("train"), batchTokens: batch.tokens)
        optimizer = try AdamWSettings(reading: try document.section("optimizer"))
        schedule = try Schedule(reading: try document.section("schedule"))
        parallel = try ParallelSettings(reading: try document.section("parallel"))
        checkpoint = try CheckpointSettings(reading: try document.section("checkpoint"))
        try document.refuseUnknownKeys()
        resolved = document.resolved
        values = document.resolvedValues
        try requireCountableLane()
    }

    /// Beyond this many numbers no machine holds the activations of a lane, and bytes stop fitting into machine words.
    private static let mostLaneNumbers = 1e16
    /// Beyond this many pairs of token and expert capacities stop fitting into machine words.
    private static let mostRoutes = 1e12

    private func requireCountableLane() throws(Failure) {
        let tokens = Double(batch.laneTokens), d = Double(model.dModel)
        let experts = model.expertCounts.reduce(0.0) { $0 + Double($1) }
        let most = Double(model.expertCounts.max() ?? 1)
        let numbers =
            tokens * experts * (d + 3 * Double(model.expertHidden) + 8) + 16 * tokens * d * Double(model.layers)
        guard numbers < Self.mostLaneNumbers, tokens * most < Self.mostRoutes else {
            throw Failure(
                .configuration,
                "`batch.micro_batch_tokens` is \(batch.laneTokens): with this model's layers and experts a lane needs more memory "
                    + "than any machine has",
                advice: "lower batch.micro_batch_tokens, or make the model smaller")
        }
    }

    package var sequencesPerLane: Int { batch.laneTokens / model.context }
}
