package import Diagnostics
import Platform

/// Models of one kind: what runs of an isoFLOP curve or a sweep share besides their sizes.
package struct ModelKind: Sendable, Hashable, Codable {
    /// E, G, K and S
    package let experts, granularity, topK, sharedRatio: Double

    enum CodingKeys: String, CodingKey {
        case experts, granularity
        case topK = "top_k"
        case sharedRatio = "shared_ratio"
    }

    init(_ point: ScalePoint) {
        (experts, granularity, topK) = (point.experts, point.granularity, point.topK)
        sharedRatio = point.sharedRatio
    }

    /// The order of tables.
    static func precedes(_ a: ModelKind, _ b: ModelKind) -> Bool {
        (a.experts, a.granularity, a.topK, a.sharedRatio) < (b.experts, b.granularity, b.topK, b.sharedRatio)
    }

    var text: String {
        var text = "E = \(significant(experts, 4))"
        if granularity != 1 { text += ", G = \(significant(granularity, 4))" }
        if topK != 1 { text += ", K = \(significant(topK, 4))" }
        if sharedRatio != 0 { text += ", S = \(significant(sharedRatio, 3))" }
        return text
    }
}

/// What equal compute says: the best size at every budget, and how it grows.
///
/// Hoffmann et al. 2022 (arXiv:2203.15556), section 3.2: the losses of models of one kind trained with equal FLOPs follow a
/// parabola in ln N; its minima give `N_opt ∝ C^a` and `D_opt ∝ C^b`.
package struct IsoFLOP: Sendable {
    /// Runs whose FLOPs differ by less than this ratio have equal compute.
    static let tolerance = 1.05

    /// Runs of one kind and equal compute whose parabola has a minimum between them.
    package struct Optimum: Sendable {
        package let kind: ModelKind
        /// C, the geometric mean of the runs
        package let flops: Double
        package let runs: Int
        /// N_act at the minimum, and its 80 % interval.
        package let active: Double
        package let activeInterval: ClosedRange<Double>?
        /// D of a model of that size, by a parabola of ln D in ln N through the runs.
        package let tokens: Double
        package let loss: Double
        /// c of `L = l + c·(ln N − ln N_opt)²`
        package let curvature: Double
        /// What the parabola leaves over, nats.
        package let error: Double
    }

    /// Runs of one kind and equal compute without a minimum that can be used.
    package struct Unused: Sendable {
        package let kind: ModelKind
        package let flops: Double
        package let runs: Int
        package let reason: String
    }

    /// `N_opt = k·C^a` and `D_opt = k·C^b` of one kind.
    package struct Growth: Sendable {
        package let kind: ModelKind
        package let active, tokens: PowerRule
    }

    /// Ascending in kind and budget.
    package let optima: [Optimum]
    package let unused: [Unused]
    /// Of kinds with minima at two budgets or more.
    package let growths: [Growth]
    package let surfaces: [IsoFLOPSurface]

    /// What runs must say of themselves.
    package static let needs: RunNeeds = {
        var needs = RunNeeds("isoflop")
        needs.variables = [.tokens]
        needs.sizes = [.totalAndActive]
        return needs
    }()

    /// - Parameters:
    ///   - runs: of any number of budgets and kinds
    ///   - resamples: behind the intervals of the minima; 0 for none
    ///   - seed: of the resamples
    /// - Throws: a `Failure` if no runs of equal compute have a minimum between them
    package init(_ runs: [RunMeasurement], resamples: Int, seed: UInt64) throws(Failure) {
        try refuseRepeats(runs)
        let budgets = clusters(of: runs) { $0.point.flops }
        let groups = budgets.flatMap(byKind).sorted { Group.precedes($0, $1) }
        let found = minima(of: groups.map(\.curve), resamples: resamples, seed: seed)
        var optima: [Optimum] = [], unused: [Unused] = []
        for (group, result) in zip(groups, found) {
            switch result {
            case .success(let minimum): optima.append(group.optimum(minimum))
            case .failure(let flaw):
                unused.append(
                    Unused(
                        kind: group.kind, flops: group.flops, runs: group.runs.count, reason: group.reason(flaw)))
            }
        }
        guard !optima.isEmpty else { throw noMinimum(unused) }
        (self.optima, self.unused) = (optima, unused)
        growths = Dictionary(grouping: optima, by: \.kind).values.compactMap(growth).sorted {
            ModelKind.precedes($0.kind, $1.kind)
        }
        surfaces = budgets.compactMap(IsoFLOPSurface.init)
    }
}

/// Runs of one kind and equal compute.
private struct Group {
    let kind: ModelKind
    let runs: [RunMeasurement]

    var flops: Double { geometricMean(runs.map(\.point.flops)) }
    var curve: LossCurve { LossCurve(places: runs.map(\.point.logActive), losses: runs.map(\.loss)) }

    static func precedes(_ a: Group, _ b: Group) -> Bool {
        a.kind == b.kind ? a.flops < b.flops : ModelKind.precedes(a.kind, b.kind)
    }

    func optimum(_ minimum: CurveMinimum) -> IsoFLOP.Optimum {
        let parabola = minimum.parabola
        let x = runs.map { $0.point.logActive - parabola.place }
        // With 6·N·D FLOPs this is a straight line, exactly.
        let tokens = LeastSquares([x.map { _ in 1 }, x, x.map { $0 * $0 }], runs.map(\.point.logTokens))
        return IsoFLOP.Optimum(
            kind: kind, flops: flops, runs: runs.count, active: exp(parabola.place),
            activeInterval: minimum.interval.map { exp($0.lowerBound)...exp($0.upperBound) },
            tokens: tokens.map { exp($0.coefficients[0]) } ?? .nan, loss: parabola.loss, curvature: parabola.curvature,
            error: minimum.error)
    }

    func reason(_ flaw: LossCurve.Flaw) -> String {
        let sizes = runs.map(\.point.active)
        switch flaw {
        case .few(let count):
            return "\(count) different size\(count == 1 ? "" : "s"); a parabola takes \(LossCurve.fewest) or more"
        case .noMinimum: return "the losses have no lowest point between the sizes"
        case .fallsDownward:
            return "the loss still falls below \(shortCount(sizes.min() ?? 0)) active parameters: add smaller models"
        case .fallsUpward:
            return "the loss still falls above \(shortCount(sizes.max() ?? 0)) active parameters: add larger models"
        }
    }
}

/// Runs in groups of about equal `value`, ascending; a group reaches from its least value to `IsoFLOP.tolerance` times that.
func clusters(of runs: [RunMeasurement], by value: (RunMeasurement) -> Double) -> [[RunMeasurement]] {
    var groups: [[RunMeasurement]] = []
    for run in runs.sorted(by: { value($0) < value($1) }) {
        if let least = groups.last?.first.map(value), value(run) <= least * IsoFLOP.tolerance {
            groups[groups.count - 1].append(run)
        } else {
            groups.append([run])
        }
    }
    return groups
}

private func byKind(_ runs: [RunMeasurement]) -> [Group] {
    Dictionary(grouping: runs) { ModelKind($0.point) }.map { Group(kind: $0.key, runs: $0.value) }
}

private func growth(_ optima: [IsoFLOP.Optimum]) -> IsoFLOP.Growth? {
    let flops = PowerRule.Factor(name: "flops", logs: optima.map { log($0.flops) })
    guard let kind = optima.first?.kind, let active = PowerRule([flops], optima.map { log($0.active) }),
        let tokens = PowerRule([flops], optima.map { log($0.tokens) })
    else { return nil }
    return IsoFLOP.Growth(kind: kind, active: active, tokens: tokens)
}

private func noMinimum(_ unused: [IsoFLOP.Unused]) -> Failure {
    let largest = unused.max { $0.runs < $1.runs }
    let example = largest.map {
        ", for example \(scientific($0.flops)) FLOPs, \($0.kind.text), \($0.runs) runs: \($0.reason)"
    }
    return Failure(
        .data, "no runs of equal compute have a lowest loss between them" + (example ?? ""),
        advice:
            "an isoFLOP curve is models of \(LossCurve.fewest) sizes or more, of the same experts, trained with FLOPs "
            + "that differ by less than 5 %, some smaller and some larger than the best")
}

/// `exp` of the mean logarithm.
func geometricMean(_ values: [Double]) -> Double {
    exp(values.reduce(0) { $0 + log($1) } / Double(max(1, values.count)))
}
