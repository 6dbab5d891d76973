import Diagnostics
import Platform

/// `optimizer.learning_rate`: a number, or the rule that gives it.
package enum LearningRate: Sendable, Equatable {
    case value(Double)
    /// `auto`: the joint study's rule.
    case jointRule
    /// `step-law`
    case stepLaw

    init(reading section: ConfigurationSection) throws(Failure) {
        self =
            switch section.word("learning_rate", among: ["auto", "step-law"]) {
            case "auto": .jointRule
            case "step-law": .stepLaw
            default: .value(try section.number("learning_rate", default: 1e-3, in: 0...1e3))
            }
    }
}

extension RunDescription<Int> {
    /// The peak of the schedule.
    package var peakLearningRate: Double {
        switch optimizer.learningRate {
        case .value(let value): value
        case .jointRule: Configuration.peakLearningRate(active: model.activeMatrices, experts: expertsOfRule)
        case .stepLaw: StepLaw.learningRate(parameters: model.bodyMatrices, tokens: Double(endTokens))
        }
    }

    /// What a rule counted; nil if the rate is given.
    package var learningRateInWords: String? {
        let rate = significant(peakLearningRate, 4)
        switch optimizer.learningRate {
        case .value: return nil
        case .jointRule:
            return
                "\(rate), by the joint study's rule for \(grouped(model.activeMatrices)) active parameters, embedding and head "
                + "among them, and E = \(model.experts)"
                + (peakLearningRateCaution(active: model.activeMatrices).map { "; \($0)" } ?? "")
        case .stepLaw:
            return
                "\(rate), by Step Law for \(grouped(model.bodyMatrices)) parameters without embedding and head, and "
                + "\(grouped(endTokens)) tokens"
        }
    }

    private var expertsOfRule: Double { Double(model.experts.uniform ?? 1) }
}

extension RunDescription {
    /// Refuses what a rule does not know.
    /// - Parameter section: `optimizer`
    func requireRule(_ section: ConfigurationSection) throws(Failure) {
        if optimizer.learningRate == .jointRule, model.experts.uniform == nil {
            throw section.failure(
                "learning_rate", "is `auto`, but the rule knows one number of experts, not \(model.experts)",
                advice: "give a number")
        }
        if optimizer.learningRate == .stepLaw, !length.branches.isEmpty {
            throw section.failure(
                "learning_rate", "is `step-law`, which gives each of train.branches another rate",
                advice: "give a number, or `auto`, which does not depend on the length")
        }
    }
}

/// Parameters as the rules count them: matrices without routers and norms.
extension ModelDescription<Int> {
    /// Attention's and the experts', of all experts.
    var bodyMatrices: Double { matrixElements(experts: expertCounts.reduce(0.0) { $0 + Double($1) }) }

    /// Those that a token meets, with embedding and head.
    var activeMatrices: Double {
        matrixElements(experts: Double(routedLayers * expertsPerToken))
            + (tieEmbeddings ? 1 : 2) * Double(vocabularySize) * Double(dModel)
    }
}
