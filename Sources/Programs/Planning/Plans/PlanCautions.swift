import Diagnostics

/// What runs behind a fit have in common: a law predicts losses of such runs only. Nil where no run says it.
package struct RunConventions: Sendable, Codable, Equatable {
    /// V
    package var vocabularySize: ClosedRange<Double>?
    /// Tokens of a sequence.
    package var context: ClosedRange<Double>?
    /// Training FLOPs as the runs count them, over 6·N_act·D.
    package var flopsRatio: ClosedRange<Double>?

    enum CodingKeys: String, CodingKey {
        case vocabularySize = "vocabulary_size"
        case context
        case flopsRatio = "flops_over_6_n_active_tokens"
    }

    package init() {}

    init(_ runs: [RunMeasurement]) {
        func range(_ values: [Double]) -> ClosedRange<Double>? {
            guard let low = values.min(), let high = values.max() else { return nil }
            return low...high
        }
        vocabularySize = range(runs.compactMap(\.vocabularySize))
        context = range(runs.compactMap(\.context))
        flopsRatio = range(
            runs.compactMap { run in run.countedFLOPs.map { $0 / (6 * run.point.active * run.point.tokens) } })
    }

    /// The vocabulary and the context that all runs had.
    package var commonVocabularySize: Double? { common(vocabularySize) }
    package var commonContext: Double? { common(context) }

    private func common(_ range: ClosedRange<Double>?) -> Double? {
        range.flatMap { $0.lowerBound == $0.upperBound ? $0.lowerBound : nil }
    }
}

extension Plan {
    /// Why a plan by a fit may be off although it lies among the fit's runs.
    package var cautions: [String] {
        var cautions = law.caution.map { [$0] } ?? []
        if !law.undetermined.isEmpty {
            cautions.append(
                "the runs behind \(law.name) do not determine \(law.undetermined.joined(separator: ", ")): "
                    + "what hangs on them, such as sizes or experts beyond those runs, may be arbitrary")
        }
        let runs = law.conventions
        if let range = runs.vocabularySize, range != request.vocabularySize...request.vocabularySize {
            cautions.append(
                "the plan has a vocabulary of \(Int(request.vocabularySize)), the runs behind \(law.name) "
                    + "\(words(range)): losses per token of different vocabularies do not compare")
        }
        if let range = runs.context, range != request.context...request.context {
            cautions.append(
                "the plan has a context of \(Int(request.context)) tokens, the runs behind \(law.name) \(words(range))")
        }
        if let range = runs.flopsRatio, request.flops != nil, !request.countsLikeTrainer,
            range.lowerBound < 0.98 || range.upperBound > 1.02
        {
            cautions.append(
                "the runs behind \(law.name) count \(significant(range.lowerBound, 3)) to "
                    + "\(significant(range.upperBound, 3)) times 6·N_act·D as their FLOPs, the trainer's count; --flops "
                    + "counts as the law's paper does")
        }
        return cautions
    }

    private func words(_ range: ClosedRange<Double>) -> String {
        range.lowerBound == range.upperBound
            ? "one of \(Int(range.lowerBound))" : "such from \(Int(range.lowerBound)) to \(Int(range.upperBound))"
    }
}
