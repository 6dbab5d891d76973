import Configuration
import Diagnostics
import JSON

/// One expert, and biases of all projections of attention or of none.
struct Llama: ExportedDenseClass {
    static let name = "LlamaForCausalLM"
    static let modelType = "llama"
    static let traits = ClassTraits(experts: .one, biases: [.none, .all])

    private init() {}
    init(holding model: ModelShape, profile: ExportProfile) {}

    func settings(of model: ModelShape, _ routing: RoutingConfiguration) -> [String: JSONValue] {
        denseSettings(of: model).merging([
            "head_dim": .integer(model.attention.headSize), "attention_bias": .boolean(model.attention.bias == .all),
            "mlp_bias": .boolean(false),
        ]) { $1 }
    }

    static func read(_ keys: inout ConfigurationKeys) throws(Failure) -> ImportedConfiguration {
        let hasBiases = try keys.boolean("attention_bias", default: false)
        let model = try readDense(&keys, bias: hasBiases ? .all : .none)
        try keys.require("mlp_bias", .boolean(false), feature: "a bias of the feed-forward")
        return ImportedConfiguration(Llama(), model, normalizesGates: false)
    }
}
