package import Diagnostics
import Platform

/// A law with what a plan needs besides: its dense twin, the runs behind it, how sure it is.
package struct PlanningLaw: Sendable {
    package let name: String
    package let law: any ScalingLaw
    /// The law of dense models to compare with; nil where there is none.
    package let dense: (any ScalingLaw)?
    package let domain: FittedDomain
    package let certainty: Certainty
    /// What a fit's runs had in common, where their records say it.
    package let conventions: RunConventions
    /// Why nothing should be planned by a fit; nil where nothing speaks against it.
    package let caution: String?
    /// What the runs behind a fit do not determine.
    package let undetermined: [String]

    package enum Certainty: Sendable {
        /// Root mean square error of predicted losses that the paper reports.
        case published(rmse: Double)
        /// The same of a fit, with the parameters that resampled runs gave.
        case fitted(rmse: Double, samples: [[Double]])
        case unknown
    }

    package init(
        name: String, law: any ScalingLaw, dense: (any ScalingLaw)?, domain: FittedDomain, certainty: Certainty,
        conventions: RunConventions = RunConventions(), caution: String? = nil, undetermined: [String] = []
    ) {
        self.name = name
        self.law = law
        self.dense = dense
        self.domain = domain
        self.certainty = certainty
        self.conventions = conventions
        self.caution = caution
        self.undetermined = undetermined
    }

    package var metadata: LawMetadata { type(of: law).metadata }

    /// A law of the catalog.
    package static func published(_ name: String) throws(Failure) -> PlanningLaw {
        let law = try LawCatalog.published(named: name)
        let metadata = type(of: law).metadata
        return PlanningLaw(
            name: name, law: law, dense: metadata.describesDense ? law : metadata.denseBaseline,
            domain: metadata.domain,
            certainty: metadata.publishedRMSE.map { .published(rmse: $0) } ?? .unknown)
    }

    /// The law to take for `experts` in place of `law`: that of dense models where `law` was fitted to MoE alone; or nil.
    func denseTwin(_ experts: Double) -> (any ScalingLaw)? {
        experts == 1 && metadata.denseBaseline != nil && !domain.experts.contains(1) ? dense : nil
    }

    /// - Throws: a `Failure` if `experts` has a dense model and the law says nothing of those
    func refuseDense(_ experts: [Double]) throws(Failure) {
        guard experts.contains(1), !metadata.describesDense, !domain.experts.contains(1), dense == nil else {
            return
        }
        let most = significant(domain.experts.lowerBound, 6)
        throw Failure(
            .usage, "\(name): the law `\(metadata.name)` was fitted to experts, and says nothing of dense models",
            advice: "use --experts \(most), or fit `chinchilla` to dense runs")
    }

    /// An interval that holds the loss of four runs in five, if the law holds there.
    package func interval(at point: ScalePoint) -> ClosedRange<Double>? {
        let tenPercent = 1.2816  // of a normal distribution lies beyond so many standard deviations
        let loss = law.loss(at: point)
        switch certainty {
        case .unknown: return nil
        case .published(let rmse): return loss - tenPercent * rmse...loss + tenPercent * rmse
        case .fitted(let rmse, let samples):
            let noise = tenPercent * rmse
            let losses = samples.map { type(of: law).init(parameters: $0).loss(at: point) }.sorted()
            guard losses.count >= 10 else { return loss - noise...loss + noise }
            let low = min(quantile(0.1, of: losses) - loss, 0), high = max(quantile(0.9, of: losses) - loss, 0)
            return loss - hypot(low, noise)...loss + hypot(high, noise)
        }
    }
}

/// The value below which a share of the ascending `sorted` lies, interpolated.
package func quantile(_ share: Double, of sorted: [Double]) -> Double {
    precondition(!sorted.isEmpty)
    let position = share * Double(sorted.count - 1)
    let below = Int(position), above = min(below + 1, sorted.count - 1)
    return sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
}
