import Checkpoints
import Collectives
import Configuration
import Conversion
import Diagnostics
import Foundation
import Inference
import MPI
import Model
import Parallelism
import Platform
import Tensors
import Testing
import Tokenizers
import Training

/// A small model with numbers that tell every place from every other, as a checkpoint.
struct TinyModel {
    static let routing = [
        "one expert, tied": ["model.tie_embeddings=true"],
        "one expert": [],
        "eight experts": ["model.experts=8"],
        "two of eight": ["model.experts=8", "model.top_k=2"],
        "two of eight, normalized, tied": [
            "model.experts=8", "model.top_k=2", "routing.normalize_gates=true", "model.tie_embeddings=true",
        ],
        "fine-grained": ["model.experts=4", "model.granularity=2"],
        "one expert, grouped": ["model.kv_heads=1"],
        "one expert, grouped, biases": ["model.kv_heads=1", "model.head_size=4", "model.attention_bias=qkv"],
        "one expert, normed heads": ["model.qk_norm=head", "model.kv_heads=1", "model.head_size=8"],
        "two of eight, normed heads, all biases": [
            "model.experts=8", "model.top_k=2", "model.qk_norm=head", "model.attention_bias=all",
        ],
        "two of eight, normed queries and keys": [
            "model.experts=8", "model.top_k=2", "model.qk_norm=all", "model.kv_heads=1",
        ],
        "one expert, linear positions": ["model.rope_scaling=linear", "model.rope_factor=2"],
        "one expert, positions of Llama 3": [
            "model.head_size=16", "model.rope_scaling=llama3", "model.rope_factor=8", "model.rope_original_context=64",
            "model.rope_low_rotations=0.5",
        ],
        "two of eight, positions of YaRN": [
            "model.experts=8", "model.head_size=16", "model.rope_scaling=yarn", "model.rope_factor=4",
            "model.rope_original_context=400",
        ],
        "one expert, all biases": ["model.attention_bias=all", "model.head_size=10"],
        "two of eight, grouped, biases": [
            "model.experts=8", "model.top_k=2", "model.kv_heads=1", "model.head_size=8", "model.attention_bias=qkv",
        ],
        "two of eight, normalized, grouped": [
            "model.experts=8", "model.top_k=2", "routing.normalize_gates=true", "model.kv_heads=1", "model.head_size=8",
        ],
        "uneven, two normalized, grouped": [
            "model.experts=[8, 4, 12]", "model.top_k=2", "routing.normalize_gates=true", "model.kv_heads=1",
            "model.head_size=8",
        ],
        "two of eight, a shared expert with a gate": [
            "model.experts=8", "model.top_k=2", "model.shared_experts=1", "model.shared_hidden_size=20",
            "model.shared_gate=true",
        ],
        "two of eight, dense layers, a shared expert with a gate": [
            "model.experts=8", "model.top_k=2", "model.dense_layers=[0, 2]", "model.dense_hidden_size=20",
            "model.shared_experts=1", "model.shared_gate=true",
        ],
        "two of eight, normed heads, the last layer dense": [
            "model.experts=8", "model.top_k=2", "model.qk_norm=head", "model.dense_layers=[2]",
        ],
        "two of eight, the first layer dense, two shared experts": [
            "model.experts=8", "model.top_k=2", "model.dense_layers=1", "model.dense_hidden_size=20",
            "model.shared_experts=2",
        ],
        "two of eight, shared experts, all biases": [
            "model.experts=8", "model.top_k=2", "model.shared_experts=1", "model.attention_bias=all",
        ],
        "uneven, two normalized, dense at both ends, two shared experts": [
            "model.experts=[8, 8, 4]", "model.top_k=2", "routing.normalize_gates=true", "model.dense_layers=1",
            "model.dense_hidden_size=20", "model.shared_experts=2",
        ],
        "uneven, two normalized": ["model.experts=[8, 4, 12]", "model.top_k=2", "routing.normalize_gates=true"],
        "uneven, one normalized, tied": [
            "model.experts=[1, 5, 2]", "routing.normalize_gates=true", "model.tie_embeddings=true",
        ],
    ]

    let configuration: ResolvedConfiguration

    init(_ overrides: [String] = []) throws {
        let yaml = """
            data: {train: none}
            model: {d_model: 12, layers: 3, heads: 2, context: 16, vocabulary_size: 260, norm_epsilon: 2.0e-5}
            batch: {tokens: 64, micro_batch_tokens: 32}
            train: {steps: 1}
            """
        let document = try ConfigurationDocument(yaml: yaml, file: "tiny model", overrides: overrides)
        configuration = try RunConfiguration(document).resolved(tokenizer: 1)
    }

    /// Writes the checkpoint from `ranks` virtual ranks and returns its path.
    /// - Parameter change: what to do to each rank's parameters first
    func write(
        in folder: String, ranks: Int = 1, seed: UInt64 = 5,
        change: @escaping @Sendable (ParameterArena) -> Void = { _ in }
    ) throws -> String {
        let configuration = configuration,
            parallel = configuration.model.expertCounts.allSatisfy { $0 % ranks == 0 } ? ranks : 1
        let written = try VirtualRanks.run(ranks) { world in
            let engine = try Engine(
                configuration, expertParallelSize: parallel, threads: 1, forTraining: false, on: world)
            let state = TrainingState(for: engine)
            Initialization(.switchTransformers, scale: 2, seed: seed).fill(state.parameters, on: engine.workers)
            scatterNorms(state.parameters)
            change(state.parameters)
            let writer = try CheckpointWriter(directory: folder, ranks: world, shards: ranks)
            let record = CheckpointRecord(
                run: "tiny", step: 3, configuration: configuration.yaml, tokenizer: ByteTokenizer.serialized)
            return try writer.write(record, state.writtenShards).directory
        }
        return written[0]
    }
}

/// Norms start as ones everywhere, and biases as zeros: two that change places would not be noticed.
private func scatterNorms(_ parameters: ParameterArena) {
    for id in parameters.layout.all where [.normWeight, .bias].contains(parameters.layout[id].role) {
        let values = parameters.vector(id), start: Float = parameters.layout[id].role == .bias ? 0 : 1
        for i in 0..<values.count { values[i] = start + 0.01 * Float(i) + 0.05 * Float(id.index) }
    }
}

/// The digests that a checkpoint's manifest gives its parameters.
func digests(_ checkpoint: String) throws -> [String: UInt64] {
    let tensors = try CheckpointReader(checkpoint).tensors.filter { $0.name.hasPrefix("parameters/") }
    return Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.digest) })
}

/// Exports without a check and returns the directory.
func export(_ checkpoint: String, to directory: String, _ profile: ExportProfile = .portable, shard: Int = 1 << 30)
    throws
{
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let source = try SourceCheckpoint(CheckpointReader(checkpoint))
    try ToHuggingFace(source, profile: profile, shardBytes: shard).write(to: directory) { _ in }
}

/// Runs `body` with a communicator of one rank.
func onOneRank<Result: Sendable>(_ body: @escaping @Sendable (any Communicator) throws -> Result) throws -> Result {
    try VirtualRanks.run(1, body)[0]
}

func check(_ directory: String, is checkpoint: String) throws -> ConversionCheck {
    try onOneRank { world in
        let source = try SourceCheckpoint(CheckpointReader(checkpoint))
        return try ConversionCheck(directory, is: source, tokens: source.sampleTokens(40), on: world)
    }
}

/// The message of the failure that `body` ends with; nil if it succeeds.
func refusal(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch {
        return (error as? Failure)?.message ?? "\(error)"
    }
}

func fileBytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }
