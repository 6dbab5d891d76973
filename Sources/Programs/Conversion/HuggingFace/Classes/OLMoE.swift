import Configuration
import Diagnostics
import JSON

/// Equally many experts in every layer, and queries and keys that are normalized as wholes.
struct OLMoE: RoutedClass {
    static let name = "OlmoeForCausalLM"
    static let modelType = "olmoe"
    /// The class's norm of queries has hidden_size numbers.
    static let traits = ClassTraits(
        experts: .equallyMany, biases: [.none, .all], queryKeyNorm: .all, hasHeadsOfModel: true)
    static let expertHiddenKey = "intermediate_size"

    private init() {}
    init(holding model: ModelShape, profile: ExportProfile) {}

    func settings(of model: ModelShape, _ routing: RoutingConfiguration) -> [String: JSONValue] {
        expertSettings(of: model, routing).merging([
            "clip_qkv": .null, "attention_bias": .boolean(model.attention.bias == .all),
            // The class would take tokens of its own vocabulary.
            "pad_token_id": .null,
        ]) { $1 }
    }

    static func read(_ keys: inout ConfigurationKeys) throws(Failure) -> ImportedConfiguration {
        let hasBiases = try keys.boolean("attention_bias", default: false)
        let (model, normalizesGates) = try readRouted(
            &keys, experts: 64, choices: 8, bias: hasBiases ? .all : .none, norm: .all,
            CommonSettings.Defaults(normEpsilon: 1e-5))
        guard model.attention.queryWidth == model.dModel else {
            throw keys.failure("head_dim", "is not hidden_size / num_attention_heads, as the class's norms need it")
        }
        if let bound = keys.value("clip_qkv") {
            throw keys.failure("clip_qkv", "is \(bound.inWords): clipping queries, keys and values is not supported")
        }
        return ImportedConfiguration(OLMoE(), model, normalizesGates: normalizesGates)
    }
}
