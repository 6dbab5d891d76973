package import Configuration
package import Diagnostics

/// Decides which steps are applied. A step whose gradient is no number, or an outlier among those before it, changes neither
/// parameters nor moments; its data count as seen. All ranks decide alike, because norms are sums over all of them.
///
/// The outliers are those of OLMo et al., "2 OLMo 2 Furious" (arXiv:2501.00656), section 3: so many standard deviations above the mean.
package struct StepGuard: Sendable, Equatable {
    /// Norms of the gradients of the last steps that were applied, oldest first; empty where nobody asks for outliers.
    package private(set) var norms: [Double] = []
    /// Steps of the run that were skipped.
    package private(set) var skipped = 0
    /// Of these, the last ones without an applied step between them.
    package private(set) var inARow = 0

    package init() {}

    package enum Verdict: Sendable, Equatable {
        case applied
        /// With what is wrong.
        case skipped(String)
        /// One bad step too many.
        case diverged(String)
    }

    /// Judges a step and takes note of it, unless the run ends with it.
    /// - Parameters:
    ///   - norm: of the whole gradient
    ///   - flaw: what makes a gradient no number; nil if it is one
    ///   - settings: what is skipped
    package mutating func judge(norm: Double, flaw: String?, _ settings: StepSkipping) -> Verdict {
        guard let reason = flaw ?? outlier(norm, settings) else {
            inARow = 0
            if settings.outlierSigmas > 0 { norms = (norms + [norm]).suffix(settings.outlierWindow) }
            return .applied
        }
        guard inARow < settings.limit else { return .diverged(reason) }
        inARow += 1
        skipped += 1
        return .skipped(reason)
    }

    /// Half a window must be known before anything stands out.
    private func outlier(_ norm: Double, _ settings: StepSkipping) -> String? {
        let known = norms.suffix(settings.outlierWindow), count = Double(known.count)
        guard settings.outlierSigmas > 0, 2 * known.count >= settings.outlierWindow else { return nil }
        let mean = known.reduce(0, +) / count
        let deviation = (known.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)).squareRoot()
        guard deviation > 0, norm > mean + settings.outlierSigmas * deviation else { return nil }
        return
            "the gradient's norm \(significant(norm, 4)) is \(significant((norm - mean) / deviation, 3)) standard deviations above the "
            + "mean \(significant(mean, 4)) of the last \(known.count) steps"
    }
}

/// What a checkpoint keeps of it; nothing of a run that has skipped none and looks for no outliers.
extension StepGuard {
    private static let keys = (norms: "gradient_norms", skipped: "skipped_steps", inARow: "skipped_in_a_row")

    package var extras: [String: String] {
        var extras: [String: String] = [:]
        if !norms.isEmpty { extras[Self.keys.norms] = norms.map { "\($0)" }.joined(separator: " ") }
        if skipped > 0 { extras[Self.keys.skipped] = "\(skipped)" }
        if inARow > 0 { extras[Self.keys.inARow] = "\(inARow)" }
        return extras
    }

    /// - Throws: `data` for what no run wrote
    package init(extras: [String: String], step: Int) throws(Failure) {
        func count(_ key: String, atMost most: Int) throws(Failure) -> Int {
            guard let text = extras[key] else { return 0 }
            guard let count = Int(text), (1...most).contains(count) else { throw Self.refusal(key, text, step) }
            return count
        }
        if let text = extras[Self.keys.norms] {
            let words = text.split(separator: " ")
            norms = words.compactMap { Double($0) }.filter { $0.isFinite && $0 >= 0 }
            guard norms.count == words.count, norms.count <= 1024 else {
                throw Self.refusal(Self.keys.norms, text, step)
            }
        }
        skipped = try count(Self.keys.skipped, atMost: max(step, 1))
        inARow = try count(Self.keys.inARow, atMost: max(skipped, 1))
    }

    private static func refusal(_ key: String, _ text: String, _ step: Int) -> Failure {
        Failure(
            .data, "the checkpoint of step \(step) has `\(text.prefix(40))` as \(key), which no run writes",
            advice: "use another checkpoint")
    }
}
