import JSON
import Configuration
import Diagnostics
import Tensors

/// Equally many experts in every layer; gates are always divided by their sum.
struct Mixtral: ExportedClass {
    static let name = "MixtralForCausalLM"
    static let modelType = "mixtral"
    static let traits = ClassTraits(experts: .equallyMany, normalizesGates: true)

    private static let names = FeedForwardNames(gate: "w1", up: "w3", down: "w2")

    private init() {}

    init(holding model: ModelShape, profile: ExportProfile) {}

    func settings(of model: ModelShape, _ routing: RoutingConfiguration) -> [String: JSONValue] {
        [
            "num_local_experts": .integer(model.expertCount(inLayer: 0)),
            "num_experts_per_tok": .integer(model.expertsPerToken),
            "intermediate_size": .integer(model.expertHiddenSize), "head_dim": .integer(model.attention.headSize),
            "sliding_window": .null,
        ]
    }

    static func read(_ keys: inout ConfigurationKeys) throws(Failure) -> ImportedConfiguration {
        let experts = try keys.integer("num_local_experts", default: 8, in: 1...65_536)
        let expertsPerToken = try keys.integer("num_experts_per_tok", default: 2, in: 1...experts)
        let model = try CommonSettings.read(
            &keys, hiddenKey: "intermediate_size", experts: experts, expertsPerToken: expertsPerToken,
            CommonSettings.Defaults(normEpsilon: 1e-5, ropeBase: 1_000_000, keyHeads: 8))
        try CommonSettings.requireNoWindow(&keys, default: nil, context: model.context)
        return ImportedConfiguration(Mixtral(), model, normalizesGates: true)
    }

    func tensors(ofLayer layer: Int, of model: ModelShape) -> [ClassTensor] {
        let name = "model.layers.\(layer).block_sparse_moe", experts = model.expertCount(inLayer: layer)
        let router = ClassTensor(
            "\(name).gate.weight", [experts, model.dModel],
            .transposed("blocks.\(layer).router", expert: nil, columns: 0..<experts))
        return attentionTensors(layer, model) + [router]
            + (0..<experts).flatMap { expertTensors("\(name).experts.\($0)", layer, $0, model, names: Self.names) }
    }

    func feedForward(_ h: Tensor, _ name: String, in reference: ReferenceForward) throws(Failure) -> Tensor {
        try reference.routed(h, name.replacing(".mlp", with: ".block_sparse_moe"), names: Self.names)
    }
}
