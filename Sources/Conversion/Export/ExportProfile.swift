package import Diagnostics
package import Layers

/// How much a Qwen2-MoE export carries that the model does not need.
package enum ExportProfile: String, Sendable, CaseIterable {
    /// For other programs that read the class, such as llama.cpp and vLLM: a shared expert and biases of zeros, which they
    /// always expect.
    case portable
    /// For `transformers`: no biases, and a shared expert of one neuron, because the class cannot be without.
    case minimal

    /// Hidden size of the shared expert, whose weights are zeros.
    var sharedHidden: Int { self == .portable ? 32 : 1 }
    var hasBiases: Bool { self == .portable }
}

/// The class of `transformers` that computes exactly what a model of ours computes.
package enum ModelClass: Sendable, Equatable {
    /// One expert: its gate is always 1, so the router has no effect and stays behind.
    case llama
    case qwen2Moe(ExportProfile)

    /// - Throws: `configuration` naming the setting that no class holds
    package init(for model: ModelSettings, profile: ExportProfile) throws(Failure) {
        guard model.norm == .rms else {
            throw Failure(
                .configuration,
                "model.norm is `\(model.norm.rawValue)`: no class of transformers has experts behind a LayerNorm of "
                    + "this kind",
                advice: "only models with `norm: rms` can go to Hugging Face")
        }
        self = model.expertCount == 1 ? .llama : .qwen2Moe(profile)
    }
}
