package import Diagnostics

/// Of shared experts together, or of a dense layer: more than any model has, and few enough to be counted one by one.
let mostUnroutedHiddenUnits = 1 << 24

/// The shared experts of a layer: every token passes them, whichever experts are selected for it.
///
/// Several are computed as one SwiGLU with the hidden units of all of them, which is their sum. Dai et al., "DeepSeekMoE"
/// (arXiv:2401.06066), section 3.2.
package struct SharedExpertsConfiguration: Sendable, Equatable {
    /// Hidden units of all of them together; 0 if there are none.
    package var hiddenSize: Int
    /// Whether their output is multiplied by σ(x·w), one number for each token, as in Qwen2-MoE.
    package var isGated: Bool

    package init(hiddenSize: Int, isGated: Bool = false) {
        self.hiddenSize = hiddenSize
        self.isGated = isGated
    }

    /// No shared experts.
    package static let none = SharedExpertsConfiguration(hiddenSize: 0)

    /// - Parameters:
    ///   - section: `model`
    ///   - expertHiddenSize: of a routed expert
    /// - Throws: `configuration` for a setting of shared experts where there are none
    init(reading section: ConfigurationSection, expertHiddenSize: Int) throws(Failure) {
        let count = try section.integer("shared_experts", default: 0, in: 0...65_536)
        let size = try section.integer(
            "shared_hidden_size", automatic: count * expertHiddenSize, in: 1...mostUnroutedHiddenUnits)
        hiddenSize = size ?? 0
        guard hiddenSize <= mostUnroutedHiddenUnits else {
            throw section.failure(
                "shared_experts",
                "of \(expertHiddenSize) hidden units each have more than \(mostUnroutedHiddenUnits) together",
                advice: "lower it, or set model.shared_hidden_size")
        }
        isGated = try section.boolean("shared_gate", default: false)
        guard count == 0 else { return }
        let isSized = section.contains("shared_hidden_size") && !section.isWord("shared_hidden_size", "auto")
        guard !isSized, !isGated else {
            throw section.failure(
                isSized ? "shared_hidden_size" : "shared_gate", "has no effect without shared experts",
                advice: "set model.shared_experts to 1 or more")
        }
    }

    /// Experts of `expertHiddenSize` that have these hidden units together; 1 where they are no multiple of it.
    package func count(expertHiddenSize: Int) -> Int {
        hiddenSize.isMultiple(of: expertHiddenSize) ? hiddenSize / expertHiddenSize : 1
    }
}
