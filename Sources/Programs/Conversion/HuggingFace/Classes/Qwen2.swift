import Configuration
import Diagnostics
import JSON

/// One expert, and biases of queries, keys and values but not of attention's output.
struct Qwen2: ExportedDenseClass {
    static let name = "Qwen2ForCausalLM"
    static let modelType = "qwen2"
    static let traits = ClassTraits(experts: .one, biases: [.qkv])

    private init() {}
    init(holding model: ModelShape, profile: ExportProfile) {}

    func settings(of model: ModelShape, _ routing: RoutingConfiguration) -> [String: JSONValue] {
        denseSettings(of: model).merging(CommonSettings.withoutWindow) { $1 }
            .merging(CommonSettings.headSize(of: model)) { $1 }
    }

    static func read(_ keys: inout ConfigurationKeys) throws(Failure) -> ImportedConfiguration {
        let model = try readDense(&keys, bias: .qkv, CommonSettings.Defaults(keyHeads: 32))
        try CommonSettings.requireWindowUnused(&keys)
        return ImportedConfiguration(Qwen2(), model, normalizesGates: false)
    }
}
