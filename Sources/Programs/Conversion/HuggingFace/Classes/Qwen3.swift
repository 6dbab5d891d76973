import Configuration
import Diagnostics
import JSON

/// One expert, and heads of queries and keys that are normalized.
struct Qwen3: ExportedDenseClass {
    static let name = "Qwen3ForCausalLM"
    static let modelType = "qwen3"
    static let traits = ClassTraits(experts: .one, biases: [.none, .all], queryKeyNorm: .head)

    private init() {}
    init(holding model: ModelShape, profile: ExportProfile) {}

    func settings(of model: ModelShape, _ routing: RoutingConfiguration) -> [String: JSONValue] {
        denseSettings(of: model).merging(CommonSettings.withoutWindow) { $1 }.merging([
            "head_dim": .integer(model.attention.headSize), "attention_bias": .boolean(model.attention.bias == .all),
        ]) { $1 }
    }

    static func read(_ keys: inout ConfigurationKeys) throws(Failure) -> ImportedConfiguration {
        let hasBiases = try keys.boolean("attention_bias", default: false)
        let model = try readDense(
            &keys, bias: hasBiases ? .all : .none, norm: .head,
            CommonSettings.Defaults(keyHeads: 32, headSize: 128))
        try CommonSettings.requireWindowUnused(&keys)
        return ImportedConfiguration(Qwen3(), model, normalizesGates: false)
    }
}
