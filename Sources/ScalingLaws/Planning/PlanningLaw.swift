package import Diagnostics

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A law with what a plan needs besides: its dense twin, the runs behind it, how sure it is.
package struct PlanningLaw: Sendable {
    package let name: String
    package let law: any LossLaw
    /// The law of dense models to compare with; nil where there is none.
    package let dense: (any LossLaw)?
    package let domain: FittedDomain
    package let certainty: Certainty

    package enum Certainty: Sendable {
        /// Root mean square error of predicted losses that the paper reports.
        case published(rmse: Double)
        /// The same of a fit, with the parameters that resampled runs gave.
        case fitted(rmse: Double, samples: [[Double]])
        case unknown
    }

    package init(
        name: String, law: any LossLaw, dense: (any LossLaw)?, domain: FittedDomain, certainty: Certainty
    ) {
        self.name = name
        self.law = law
        self.dense = dense
        self.domain = domain
        self.certainty = certainty
    }

    package var facts: LawFacts { type(of: law).facts }

    /// A law of the catalogue.
    package static func published(_ name: String) throws(Failure) -> PlanningLaw {
        let law = try LawCatalogue.published(named: name)
        let facts = type(of: law).facts
        return PlanningLaw(
            name: name, law: law, dense: law is FineGrainedLaw ? ChinchillaLaw.fineGrainedBaseline : law,
            domain: facts.domain,
            // Ludziejewski et al. report 0.0062 on the runs of the fit and 0.0039 on held-out ones: take the worse.
            certainty: law is JointLaw ? .published(rmse: 0.0062) : .unknown)
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
