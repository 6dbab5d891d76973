import Configuration
import Diagnostics

/// A Llama whose attention can have a window, which a model of ours does not have.
struct Mistral: DenseClass {
    static let name = "MistralForCausalLM"
    static let modelType = "mistral"

    static func read(_ keys: inout ConfigurationKeys) throws(Failure) -> ImportedConfiguration {
        let model = try readDense(&keys, CommonSettings.Defaults(keyHeads: 8))
        try CommonSettings.requireNoWindow(&keys, default: 4096, context: model.context)
        return ImportedConfiguration(Mistral(), model, normalizesGates: false)
    }
}
