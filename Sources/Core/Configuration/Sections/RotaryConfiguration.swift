package import Diagnostics

/// How the angles of rotary positions are changed for sequences longer than a model first learned on.
package enum RotaryScaling: String, CaseIterable, Sendable {
    case none
    /// All angles divided by the factor (Chen et al., arXiv:2306.15595, equation 4).
    case linear
    /// Slow pairs divided by it, fast ones as they are, by their number of turns (Llama 3.1, arXiv:2407.21783, section 3.4.1, and its
    /// published program).
    case llama3
    /// The same by ranges of pairs, and longer queries and keys (Peng et al., "YaRN", arXiv:2309.00071, section 3.2 and 3.4).
    case yarn

    /// Whether it tells slow pairs from fast ones.
    package var hasBands: Bool { self == .llama3 || self == .yarn }
}

/// Rotary positions: which pairs of a head turn, and how fast.
package struct RotaryConfiguration: Sendable, Equatable {
    package var base: Double
    /// Of a head's columns, the first of which turn.
    package var fraction: Double
    package var scaling: RotaryScaling
    /// By what slow pairs are slowed down.
    package var factor: Double
    /// Tokens of the sequences that the model first learned on, with `llama3` and `yarn`; nil without.
    package var originalContext: Int?
    /// A pair that turns less than this within `originalContext` is slow.
    package var lowRotations: Double
    /// A pair that turns more than this is fast.
    package var highRotations: Double

    package init(
        base: Double, fraction: Double = 1, scaling: RotaryScaling = .none, factor: Double = 1,
        originalContext: Int? = nil, lowRotations: Double = 1, highRotations: Double? = nil
    ) {
        (self.base, self.fraction, self.scaling, self.factor) = (base, fraction, scaling, factor)
        self.originalContext = originalContext
        self.lowRotations = lowRotations
        self.highRotations = highRotations ?? Self.defaultHighRotations(scaling)
    }

    /// - Parameters:
    ///   - section: `model`
    ///   - context: tokens of a sequence
    ///   - headSize: columns of a head
    /// - Throws: `configuration` for settings that do not fit each other
    init(reading section: ConfigurationSection, context: Int, headSize: Int) throws(Failure) {
        base = try section.number("rope_base", default: 10_000, in: 1...1e12)
        fraction = try section.number("rope_fraction", default: 1, in: 0.001...1)
        scaling = try section.choice("rope_scaling", default: RotaryScaling.none)
        factor = try section.number("rope_factor", default: 1, in: 1...1e6)
        let original = try section.integer("rope_original_context", automatic: context, in: 1...1 << 24)
        originalContext = scaling.hasBands ? original : nil
        lowRotations = try section.number("rope_low_rotations", default: 1, in: 1e-3...1e6)
        let high = Self.defaultHighRotations(scaling)
        highRotations = try section.number("rope_high_rotations", default: high, in: 1e-3...1e6)
        try check(section, headSize: headSize)
    }

    /// 4 as Llama 3.1, 32 as YaRN.
    package static func defaultHighRotations(_ scaling: RotaryScaling) -> Double { scaling == .yarn ? 32 : 4 }

    /// Pairs of a head of `headSize` columns that turn.
    package func pairs(headSize: Int) -> Int {
        // The last column of an odd size has no partner.
        min(Int((fraction * Double(headSize) / 2).rounded()), headSize / 2)
    }

    private func check(_ section: ConfigurationSection, headSize: Int) throws(Failure) {
        let turning = fraction * Double(headSize) / 2
        guard turning >= 1, abs(turning - turning.rounded()) < 1e-6 else {
            throw section.failure(
                "rope_fraction", "is \(fraction), which makes \(2 * turning) of \(headSize) columns of a head turn",
                advice: "an even number of columns must turn")
        }
        guard scaling != .none || factor == 1 else {
            throw section.failure(
                "rope_factor", "is \(factor), but model.rope_scaling is `none`",
                advice: "set model.rope_scaling to linear, llama3 or yarn")
        }
        let hasOriginal = section.contains("rope_original_context") && !section.isWord("rope_original_context", "auto")
        guard scaling.hasBands || !hasOriginal else {
            throw section.failure(
                "rope_original_context", "has no effect with model.rope_scaling `\(scaling.rawValue)`",
                advice: "set model.rope_scaling to llama3 or yarn, or leave it out")
        }
        if !scaling.hasBands, let key = ["rope_low_rotations", "rope_high_rotations"].first(where: isChanged(section)) {
            throw section.failure(
                key, "has no effect with model.rope_scaling `\(scaling.rawValue)`",
                advice: "set model.rope_scaling to llama3 or yarn, or leave it out")
        }
        guard lowRotations < highRotations else {
            throw section.failure(
                "rope_low_rotations", "is \(lowRotations), not less than model.rope_high_rotations \(highRotations)")
        }
        guard scaling != .yarn || base > 1 else {
            throw section.failure("rope_base", "is 1, with which all pairs turn alike; `yarn` needs more")
        }
    }

    /// Whether the file gives a number of rotations that is not the default; a resolved configuration states all.
    private func isChanged(_ section: ConfigurationSection) -> (String) -> Bool {
        { key in
            let (found, usual) =
                key == "rope_low_rotations" ? (lowRotations, 1) : (highRotations, Self.defaultHighRotations(scaling))
            return section.contains(key) && found != usual
        }
    }
}
