package import Configuration
package import Diagnostics
import Model

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
    /// Layers of different numbers of experts. The class has one number for all, but also a correction bias for each expert,
    /// which decides who is chosen and not by how much it counts: layers are filled up with experts that are never chosen.
    /// It always normalizes gates, so that what the others' logits add to the softmax cancels.
    case ernie45Moe

    /// - Throws: `configuration` naming the setting that no class holds
    package init(
        for model: ModelConfiguration, _ routing: RoutingConfiguration, profile: ExportProfile
    ) throws(Failure) {
        guard model.norm == .rms else {
            throw Failure(
                .configuration,
                "model.norm is `\(model.norm.rawValue)`: no class of transformers has experts behind a LayerNorm of "
                    + "this kind",
                advice: "only models with `norm: rms` can go to Hugging Face")
        }
        guard model.experts.uniform == nil else {
            self = model.isDense ? .llama : .qwen2Moe(profile)
            return
        }
        guard routing.normalizeGates else {
            throw Failure(
                .configuration,
                "layers hold different numbers of experts (model.experts is \(model.experts)) and routing.normalize_gates "
                    + "is false: the only class of transformers that holds such layers divides gates by their sum",
                advice: "convert prune --scope layer gives a model that can go to Hugging Face; so does training with "
                    + "normalize_gates: true")
        }
        self = .ernie45Moe
    }

    package var name: String {
        switch self {
        case .llama: "LlamaForCausalLM"
        case .qwen2Moe: "Qwen2MoeForCausalLM"
        case .ernie45Moe: "Ernie4_5_MoeForCausalLM"
        }
    }

    /// Its `model_type`.
    var type: String {
        switch self {
        case .llama: "llama"
        case .qwen2Moe: "qwen2_moe"
        case .ernie45Moe: "ernie4_5_moe"
        }
    }
}
