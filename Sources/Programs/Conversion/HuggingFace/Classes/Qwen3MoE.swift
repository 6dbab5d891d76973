import Configuration
import Diagnostics
import JSON

/// Equally many experts in every layer, and heads of queries and keys that are normalized.
struct Qwen3MoE: RoutedClass {
    static let name = "Qwen3MoeForCausalLM"
    static let modelType = "qwen3_moe"
    static let traits = ClassTraits(
        experts: .equallyMany, denseLayers: .any, biases: [.none, .all], queryKeyNorm: .head)

    private init() {}
    init(holding model: ModelShape, profile: ExportProfile) {}

    func settings(of model: ModelShape, _ routing: RoutingConfiguration) -> [String: JSONValue] {
        expertSettings(of: model, routing).merging(SparseLayers.values(of: model)) { $1 }
            .merging(CommonSettings.withoutWindow) { $1 }
            .merging([
                "head_dim": .integer(model.attention.headSize),
                "attention_bias": .boolean(model.attention.bias == .all),
            ]) { $1 }
    }

    static func read(_ keys: inout ConfigurationKeys) throws(Failure) -> ImportedConfiguration {
        let hasBiases = try keys.boolean("attention_bias", default: false)
        var (model, normalizesGates) = try readRouted(
            &keys, experts: 128, choices: 8, bias: hasBiases ? .all : .none, norm: .head,
            CommonSettings.Defaults(keyHeads: 4))
        try SparseLayers.read(&keys, into: &model)
        try CommonSettings.requireWindowUnused(&keys)
        return ImportedConfiguration(Qwen3MoE(), model, normalizesGates: normalizesGates)
    }
}
