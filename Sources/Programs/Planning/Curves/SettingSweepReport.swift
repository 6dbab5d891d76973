import Diagnostics

/// A sweep's rule for programs, under names that stay. Intervals are pairs and hold 80 %.
package struct SettingSweepRecord: Sendable, Encodable {
    package struct Optimum: Sendable, Encodable {
        let kind: ModelKind
        let activeParameters, tokens: Double
        let runs: Int
        let best: Double
        let interval: [Double]?
        let published, loss, curvature: Double

        enum CodingKeys: String, CodingKey {
            case kind, tokens, runs, best, interval, published, loss, curvature
            case activeParameters = "active_parameters"
        }
    }

    package struct Unused: Sendable, Encodable {
        let kind: ModelKind
        let activeParameters, tokens: Double
        let runs: Int
        let reason: String

        enum CodingKeys: String, CodingKey {
            case kind, tokens, runs, reason
            case activeParameters = "active_parameters"
        }
    }

    let setting: SweptSetting
    let optima: [Optimum]
    let unused: [Unused]
    let rule: PowerRule?

    package init(_ sweep: SettingSweep) {
        setting = sweep.setting
        optima = sweep.optima.map { optimum in
            Optimum(
                kind: optimum.kind, activeParameters: optimum.active, tokens: optimum.tokens, runs: optimum.runs,
                best: optimum.best, interval: optimum.interval.map { [$0.lowerBound, $0.upperBound] },
                published: sweep.published(optimum), loss: optimum.loss, curvature: optimum.curvature)
        }
        unused = sweep.unused.map {
            Unused(
                kind: $0.kind, activeParameters: $0.active, tokens: $0.tokens, runs: $0.runs, reason: $0.reason)
        }
        rule = sweep.rule
    }
}

extension SettingSweep {
    /// The sweep for people.
    package var text: String {
        var table = TextTable(["choice", "N_act", "tokens", "runs", "best", "80 % interval", publishedName, "loss"])
        for optimum in optima {
            table.add([
                optimum.kind.text, shortCount(optimum.active), shortCount(optimum.tokens), "\(optimum.runs)",
                words(optimum.best),
                optimum.interval.map { "\(words($0.lowerBound)) … \(words($0.upperBound))" } ?? "–",
                words(published(optimum)), decimals(optimum.loss, 4),
            ])
        }
        let name = setting == .learningRate ? "learning rate" : "batch"
        var parts = ["Best \(name): a parabola in its logarithm for every model and length\n\n" + table.text, ruleText]
        if !unused.isEmpty {
            parts.append(
                "Not used:\n"
                    + unused.map { model in
                        "  \(shortCount(model.active)) active parameters, \(model.kind.text), "
                            + "\(shortCount(model.tokens)) tokens: \(model.reason)"
                    }.joined(separator: "\n"))
        }
        return parts.joined(separator: "\n\n")
    }

    func published(_ optimum: Optimum) -> Double {
        setting.published(active: optimum.active, experts: optimum.kind.experts, tokens: optimum.tokens)
    }

    private var publishedName: String { setting == .learningRate ? "arXiv:2502.05172" : "arXiv:2503.04715" }

    private func words(_ value: Double) -> String {
        setting == .learningRate ? scientific(value) : shortCount(value)
    }

    private var ruleText: String {
        guard let rule else { return "No rule: it takes best values of two models or lengths or more." }
        let symbol = setting == .learningRate ? "LR" : "B"
        var lines = [
            "\(symbol) = " + rule.words(of: ["n_active": "N_act", "experts": "E", "tokens": "D"])
                + ", by least squares through \(rule.points) best values"
        ]
        for (name, symbol) in [("n_active", "N_act"), ("experts", "E"), ("tokens", "D")] {
            if let ends = rule.intervals[name] { lines.append("  power of \(symbol): \(interval(ends)) (80 %)") }
            if let reason = rule.leftOut[name] { lines.append("  \(symbol) is left out: \(reason)") }
        }
        if let error = rule.error { lines.append("  what is left of ln \(symbol): RMSE \(significant(error, 3))") }
        return lines.joined(separator: "\n")
    }
}
