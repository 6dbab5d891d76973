import Configuration
import Diagnostics
import Platform

extension Plan {
    /// The plan for people: the best model in full, then every choice of experts beside it.
    package var text: String { text(columns: nil) }

    /// The same on a terminal of so many columns.
    package func text(columns: Int?) -> String {
        var parts = [
            answer(columns: columns), "Every choice of experts, best first:\n\n" + comparison.text(columns: columns),
            legend,
        ]
        if !impossible.isEmpty {
            parts.append(
                "No model fits:\n" + impossible.map { "  \(choice($0, $1, $2)): \($3)" }.joined(separator: "\n"))
        }
        if !cautions.isEmpty {
            parts.append("Beware, the fit:\n" + cautions.map { "  " + $0 }.joined(separator: "\n"))
        }
        if !best.warnings.isEmpty {
            parts.append("Beware, the law is extrapolated:\n" + best.warnings.map { "  " + $0 }.joined(separator: "\n"))
        }
        return parts.joined(separator: "\n\n")
    }

    private func answer(columns: Int?) -> String {
        let model = best.buildable
        let head =
            "Train \(choice(best.experts, best.granularity, best.topK)): d_model \(Int(model.dModel)), "
            + "\(Int(model.layers)) layers, \(Int(model.layers)) heads"
        return head + "\n" + labeledLines(figures.map { (label: "  " + $0.0, value: $0.1) }, columns: columns)
    }

    private var figures: [(String, String)] {
        let model = best.buildable, optimum = best.optimum
        let embedding = law.metadata.size == .totalWithoutEmbedding ? "without" : "with"
        let perParameter = significant(model.tokens / model.activeParameters, 3)
        var lines: [(String, String)] = []
        lines.append(
            (
                "parameters",
                "\(shortCount(model.activeParameters)) active of \(shortCount(model.totalParameters)) "
                    + "(\(embedding) embedding and head)"
            ))
        lines.append(("tokens", "\(shortCount(model.tokens)), \(perParameter) per active parameter"))
        lines.append(("training", trainingInWords))
        lines.append(("loss", lossInWords))
        lines.append(
            (
                "rounding",
                "\(decimals(best.roundingCost, 5)) nats above the optimum among real numbers "
                    + "(\(shortCount(optimum.activeParameters)) active, \(shortCount(optimum.tokens)) tokens)"
            ))
        let caution = best.learningRateCaution.map { "; \($0)" } ?? ""
        lines.append(("learning rate", "\(scientific(best.learningRate)) at its peak\(caution)"))
        lines.append(("batch", batchInWords))
        lines.append(("Step Law", stepLawInWords))
        lines.append(("limited by", best.limits.joined(separator: ", ")))
        if let other = granularityAtEqualCompute {
            let same = other == best.granularity ? "also" : "G = \(Int(other))"
            lines.append(("granularity", "the best in equal hours; in equal FLOPs \(same)"))
        }
        if let memory = best.memoryBytes { lines.append(("memory", byteCount(memory))) }
        if let advantage = best.computeAdvantage {
            lines.append(("dense", "\(saving(advantage)) compute-optimal dense training to the same loss"))
        }
        return lines
    }

    private var trainingInWords: String {
        let model = best.buildable
        return "\(scientific(model.trainingFLOPs)) FLOPs as the law's paper counts, "
            + "\(scientific(model.trainerFLOPs)) as the trainer does (context \(Int(request.context)))"
            + (request.countsLikeTrainer ? ": the cluster's budget is the trainer's" : "")
    }

    private var batchInWords: String {
        best.batch.map { stage in
            "\(stage.tokens) tokens" + (stage.fromToken > 0 ? " from token \(shortCount(stage.fromToken)) on" : "")
        }.joined(separator: ", ")
    }

    private var stepLawInWords: String {
        let advice = best.stepLaw, batch = "steps of \(shortCount(advice.batchTokens)) tokens"
        guard advice.learningRate != advice.activeLearningRate else {
            return "\(scientific(advice.learningRate)) and \(batch)"
        }
        return
            "\(scientific(advice.learningRate)) for all parameters, \(scientific(advice.activeLearningRate)) for the active "
            + "ones, and \(batch)"
    }

    private var lossInWords: String {
        let sure =
            best.interval.map {
                ", four runs in five between \(decimals($0.lowerBound, 4)) and " + decimals($0.upperBound, 4)
            } ?? " (how sure this law is, nobody published)"
        return "\(decimals(best.buildable.loss, 4)) nats per token\(sure)"
    }

    private func saving(_ advantage: Double) -> String {
        advantage >= 1
            ? "saves \(significant(100 * (1 - 1 / advantage), 3)) % of the compute of"
            : "needs \(significant(1 / advantage, 3)) × the compute of"
    }

    private func choice(_ experts: Double, _ granularity: Double, _ topK: Double) -> String {
        var text = "E = \(Int(experts))"
        if law.metadata.variables.contains(.granularity) { text += ", G = \(Int(granularity))" }
        if law.metadata.variables.contains(.topK) { text += ", K = \(Int(topK))" }
        return text
    }

    private var comparison: TextTable {
        var table = TextTable([
            "choice", "N_act", "N_total", "tokens", "loss", "d_model", "layers", "rounding", "LR", "memory", "saved",
            "serving", "",
        ])
        for entry in entries {
            let sizing = entry.optimum
            table.add([
                choice(entry.experts, entry.granularity, entry.topK), shortCount(sizing.activeParameters),
                shortCount(sizing.totalParameters), shortCount(sizing.tokens),
                decimals(sizing.loss, 4),
                "\(Int(entry.buildable.dModel))", "\(Int(entry.buildable.layers))",
                decimals(entry.roundingCost, 5), scientific(entry.learningRate),
                entry.memoryBytes.map(byteCount) ?? "–",
                entry.computeAdvantage.map { significant(100 * (1 - 1 / $0), 3) + " %" } ?? "–",
                entry.servingCost.map { significant(100 * $0, 3) + " %" } ?? "–", entry.warnings.isEmpty ? "" : "!",
            ])
        }
        return table
    }

    private var legend: String {
        """
        N_act to loss: the optimum among real numbers; d_model, layers: the nearest
        model that can be built, and the loss that rounding costs. saved: compute
        against compute-optimal dense training to the same loss. serving: cost of a
        served token against the dense optimum of this budget, with the smallest model
        that reaches its loss by longer training. !: beyond the runs behind the law.
        Step Law: another rule for learning rate and batch.
        """
    }
}
