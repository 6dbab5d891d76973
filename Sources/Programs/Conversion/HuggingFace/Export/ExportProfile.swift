/// How much a Qwen2-MoE export carries that the model does not need.
package enum ExportProfile: String, Sendable, CaseIterable {
    /// For other programs that read the class, such as llama.cpp and vLLM: a shared expert and biases of zeros, which they
    /// always expect.
    case portable
    /// For `transformers`: no biases, and a shared expert of one neuron, because the class cannot be without.
    case minimal
}
