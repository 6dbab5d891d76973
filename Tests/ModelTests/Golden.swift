import Configuration
import Foundation
import HDF5
import Model
import Tensors
import Testing

/// One case of the independent reference: settings, data, parameters and what comes out (scripts/golden).
struct Golden {
    let name: String
    private let root: HDF5Group
    private let file: HDF5File

    static let names = [
        "k1", "k2", "k2-normalized", "g2", "dense", "tied-layernorm", "no-final-norm", "odd", "grouped", "multi-query",
        "normed-heads",
        "normed-projections", "documents", "rotary-linear", "rotary-llama3", "rotary-yarn", "shared", "shared-gated",
        "dense-first", "dense-last", "geglu", "gelu", "relu2",
    ]

    init(_ name: String) throws {
        self.name = name
        let folder = try #require(Bundle.module.url(forResource: "Golden", withExtension: nil))
        file = try HDF5File.open(folder.appending(path: "\(name).h5").path)
        root = try file.root()
    }

    func double(_ path: String) throws -> Double { try values(path, as: Double.self)[0] }
    func integer(_ path: String) throws -> Int { Int(try values(path, as: Int64.self)[0]) }
    /// 0 for a setting that is not stored because it has its default.
    private func setting(_ name: String) -> Int { (try? integer("settings/\(name)")) ?? 0 }
    func shape(_ path: String) throws -> [Int] { try root.dataset(path).shape }

    func values<Element: HDF5Element>(_ path: String, as: Element.Type) throws -> Vector<Element> {
        let dataset = try root.dataset(path)
        let values = Vector<Element>(count: dataset.shape.reduce(1, *))
        try dataset.read(into: values, offset: dataset.shape.map { _ in 0 }, shape: dataset.shape)
        return values
    }

    var model: ModelShape {
        get throws {
            var model = try ModelShape(
                dModel: integer("settings/d_model"), layers: integer("settings/layers"),
                heads: integer("settings/heads"),
                context: integer("settings/context"), vocabularySize: integer("settings/vocabulary_size"),
                experts: ExpertsPerLayer(integer("settings/experts")), topK: integer("settings/top_k"),
                granularity: integer("settings/granularity"), feedForward: Double(integer("settings/feed_forward")),
                tieEmbeddings: integer("settings/tie_embeddings") == 1,
                norm: integer("settings/norm") == 1 ? .layer : .rms, normEpsilon: 1e-5,
                finalNorm: integer("settings/final_norm") == 1, ropeBase: 10_000)
            let heads = model.attention.heads, size = setting("head_size")
            model.attention = AttentionConfiguration(
                heads: heads, keyValueHeads: setting("kv_heads") == 0 ? heads : setting("kv_heads"),
                headSize: size == 0 ? model.dModel / heads : size,
                bias: [.none, .qkv, .all][setting("attention_bias")],
                queryKeyNorm: [.none, .head, .all][setting("qk_norm")])
            model.shared = SharedExpertsConfiguration(
                hiddenSize: setting("shared_hidden"), isGated: setting("shared_gate") == 1)
            model.activation = Activation.allCases[setting("activation")]
            let dense = setting("dense_layers")
            model.dense = DenseLayersConfiguration(
                Set((0..<model.layers).filter { dense >> $0 & 1 == 1 }), hiddenSize: setting("dense_hidden"))
            if setting("rope_scaling") > 0 { try readRotary(into: &model) }
            return model
        }
    }

    private func readRotary(into model: inout ModelShape) throws {
        let scaling = RotaryScaling.allCases[setting("rope_scaling")]
        model.rotary = RotaryConfiguration(
            base: 10_000, fraction: try double("settings/rope_fraction"), scaling: scaling,
            factor: try double("settings/rope_factor"),
            originalContext: scaling.hasBands ? Int(try double("settings/rope_original_context")) : nil,
            lowRotations: try double("settings/rope_low_rotations"),
            highRotations: try double("settings/rope_high_rotations"))
    }

    var routing: RoutingConfiguration {
        get throws {
            var routing = try RoutingConfiguration(
                capacityFactor: CapacityFactor(double("settings/capacity_factor")),
                loadBalanceWeight: double("settings/load_balance_weight"),
                zLossWeight: double("settings/z_loss_weight"),
                normalizeGates: integer("settings/normalize_gates") == 1)
            routing.layerLosses = try integer("settings/mean_of_layers") == 1 ? .mean : .sum
            return routing
        }
    }

    /// The case's micro-batches, whole.
    var microBatches: [MicroBatch] {
        get throws {
            let shape = try shape("tokens"), tokens = try values("tokens", as: Int32.self)
            let (sequences, length) = (shape[1], shape[2])
            let end = setting("document_token")
            return (0..<shape[0]).map { microBatch in
                let result = MicroBatch(sequences: sequences, sequenceLength: length - 1, masksDocuments: end > 0)
                for sequence in 0..<sequences {
                    for position in 0..<length - 1 {
                        let place = (microBatch * sequences + sequence) * length + position
                        result.inputs[sequence * (length - 1) + position] = tokens[place]
                        result.targets[sequence * (length - 1) + position] = tokens[place + 1]
                    }
                }
                result.startDocuments(behind: Int32(end))
                return result
            }
        }
    }

    /// Fills the arena with the case's parameters, this rank's experts only.
    func load(into arena: ParameterArena) throws {
        for id in arena.layout.all {
            let entry = arena.layout[id], part = arena.vector(id)
            let whole = try values("parameters/\(entry.name)", as: Float.self)
            for i in 0..<part.count { part[i] = whole[entry.globalOffset + i] }
        }
        arena.refresh(0..<arena.layout.count)
    }
}

extension MicroBatch {
    /// Enters where documents begin, if they are masked: behind each token `end` of a sequence.
    func startDocuments(behind end: Int32) {
        guard let documentStarts else { return }
        for t in 0..<tokens {
            let position = t % sequenceLength, isBorder = position > 0 && inputs[t - 1] == end
            documentStarts[t] = isBorder ? Int32(position) : position == 0 ? 0 : documentStarts[t - 1]
        }
    }
}
