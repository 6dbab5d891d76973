import Configuration
package import Diagnostics
import Platform

/// A setting of training whose best value is read off sweeps.
package enum SweptSetting: String, Sendable, Codable {
    case learningRate = "learning_rate"
    case batchTokens = "batch_tokens"

    func value(of run: RunMeasurement) -> Double? { self == .learningRate ? run.learningRate : run.batchTokens }
    var other: SweptSetting { self == .learningRate ? .batchTokens : .learningRate }
    var plural: String { self == .learningRate ? "learning rates" : "batches" }

    /// What the papers' rule gives: for rates the joint study's, for batches Step Law.
    func published(active: Double, experts: Double, tokens: Double) -> Double {
        self == .learningRate
            ? peakLearningRate(active: active, experts: experts) : StepLaw.batchTokens(tokens: tokens)
    }

    /// The rule's x in the order in which they join: those of the paper's rule first.
    func factors(_ optima: [SettingSweep.Optimum]) -> [PowerRule.Factor] {
        let sizes = PowerRule.Factor(name: "n_active", logs: optima.map { log($0.active) })
        let experts = PowerRule.Factor(name: "experts", logs: optima.map { log($0.kind.experts) })
        let tokens = PowerRule.Factor(name: "tokens", logs: optima.map { log($0.tokens) })
        return self == .learningRate ? [sizes, experts, tokens] : [tokens, sizes, experts]
    }
}

/// The best value of a setting for every model and length, and the rule through them.
///
/// For each (kind, N, D) the minimum of a parabola of the loss in the setting's logarithm; then least squares on the logarithm of
/// the best values, `ln y = c + p·ln N_act + q·ln E + r·ln D`, as Ludziejewski et al. 2025 (arXiv:2502.05172) fit their rule for the
/// learning rate (without D) and Li et al. 2025 (arXiv:2503.04715) theirs.
package struct SettingSweep: Sendable {
    /// Runs of one model and length that differ in the setting, with a minimum between them.
    package struct Optimum: Sendable {
        package let kind: ModelKind
        /// N_act
        package let active: Double
        /// D, the geometric mean of the runs
        package let tokens: Double
        package let runs: Int
        /// The best value, and its 80 % interval.
        package let best: Double
        package let interval: ClosedRange<Double>?
        package let loss: Double
        /// c of `L = l + c·(ln y − ln best)²`
        package let curvature: Double
    }

    /// Runs of one model and length without a minimum that can be used.
    package struct Unused: Sendable {
        package let kind: ModelKind
        package let active, tokens: Double
        package let runs: Int
        package let reason: String
    }

    package let setting: SweptSetting
    /// Ascending in kind, size and length.
    package let optima: [Optimum]
    package let unused: [Unused]
    /// Nil where the optima do not differ in anything the rule is about.
    package let rule: PowerRule?

    /// What runs must say of themselves.
    package static func needs(_ setting: SweptSetting) -> RunNeeds {
        var needs = RunNeeds(setting == .learningRate ? "learning-rate" : "batch-size")
        needs.variables = [.tokens]
        needs.sizes = [.active]
        needs.columns = [setting.rawValue]
        return needs
    }

    /// - Parameters:
    ///   - setting: what the runs sweep
    ///   - runs: of any number of models and lengths
    ///   - resamples: behind the intervals of the best values; 0 for none
    ///   - seed: of the resamples
    /// - Throws: a `Failure` if no model's losses have a minimum between its runs
    package init(
        _ setting: SweptSetting, _ runs: [RunMeasurement], resamples: Int, seed: UInt64
    ) throws(Failure) {
        try refuseRepeats(runs)
        let models = sweptModels(runs, setting)
        let found = minima(of: models.map(\.curve), resamples: resamples, seed: seed)
        var optima: [Optimum] = [], unused: [Unused] = []
        for (model, result) in zip(models, found) {
            switch result {
            case .success(let minimum): optima.append(model.optimum(minimum))
            case .failure(let flaw):
                unused.append(
                    Unused(
                        kind: model.kind, active: model.active, tokens: model.tokens, runs: model.runs.count,
                        reason: model.reason(flaw)))
            }
        }
        guard !optima.isEmpty else { throw noBest(unused, setting) }
        (self.setting, self.optima, self.unused) = (setting, optima, unused)
        rule = PowerRule(setting.factors(optima), optima.map { log($0.best) })
    }
}

/// Runs of one model and length that differ in a setting.
private struct SweptModel {
    let setting: SweptSetting
    let kind: ModelKind
    let runs: [RunMeasurement]

    var active: Double { runs[0].point.active }
    var tokens: Double { geometricMean(runs.map(\.point.tokens)) }
    var curve: LossCurve {
        LossCurve(places: runs.compactMap(setting.value).map { log($0) }, losses: runs.map(\.loss))
    }

    func optimum(_ minimum: CurveMinimum) -> SettingSweep.Optimum {
        SettingSweep.Optimum(
            kind: kind, active: active, tokens: tokens, runs: runs.count, best: exp(minimum.parabola.place),
            interval: minimum.interval.map { exp($0.lowerBound)...exp($0.upperBound) }, loss: minimum.parabola.loss,
            curvature: minimum.parabola.curvature)
    }

    func reason(_ flaw: LossCurve.Flaw) -> String {
        let values = runs.compactMap(setting.value)
        let low = significant(values.min() ?? 0, 3), high = significant(values.max() ?? 0, 3)
        switch flaw {
        case .few(let count):
            return "\(count) different \(setting.plural); a parabola takes \(LossCurve.fewest) or more"
        case .noMinimum: return "the losses have no lowest point between the \(setting.plural)"
        case .fallsDownward: return "the loss still falls below \(low): add smaller \(setting.plural)"
        case .fallsUpward: return "the loss still falls above \(high): add larger \(setting.plural)"
        }
    }
}

/// Runs by kind, N_act and D, ascending.
///
/// Lengths that differ by less than `IsoFLOP.tolerance` are one, because a batch does not divide every length. Where the runs
/// of a model sweep the other setting too, only those count that share its value with the run of lowest loss.
private func sweptModels(_ runs: [RunMeasurement], _ setting: SweptSetting) -> [SweptModel] {
    Dictionary(grouping: runs) { ModelKind($0.point) }.sorted { ModelKind.precedes($0.key, $1.key) }.flatMap {
        kind, runs in
        Dictionary(grouping: runs, by: \.point.active).sorted { $0.key < $1.key }.flatMap { _, runs in
            clusters(of: runs) { $0.point.tokens }.map { runs in
                let fixed = runs.min { $0.loss < $1.loss }.flatMap(setting.other.value)
                return SweptModel(
                    setting: setting, kind: kind, runs: runs.filter { setting.other.value(of: $0) == fixed })
            }
        }
    }
}

private func noBest(_ unused: [SettingSweep.Unused], _ setting: SweptSetting) -> Failure {
    let largest = unused.max { $0.runs < $1.runs }
    let example = largest.map {
        ", for example \(shortCount($0.active)) active parameters, \($0.kind.text), \(shortCount($0.tokens)) tokens: "
            + $0.reason
    }
    return Failure(
        .data, "no model's losses have a minimum between its \(setting.plural)" + (example ?? ""),
        advice:
            "a sweep is runs of one model and length with \(LossCurve.fewest) \(setting.plural) or more, some smaller and "
            + "some larger than the best")
}
