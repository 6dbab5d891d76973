package import Diagnostics
import Foundation
import Platform

/// A fit as it is written down: everything that a plan needs of it.
package struct FitRecord: Sendable, Codable {
    package let law: String
    /// By name; null where the runs do not determine the parameter.
    package let parameters: [String: Double?]
    /// All values in the law's order, also those that could as well be others: what predictions are made with.
    package let values: [Double]
    /// Why a parameter is null.
    package let undetermined: [String: String]
    /// 80 % intervals by name, of the determined parameters.
    package let intervals: [String: [Double]]
    package let rmseTrain: Double
    package let rmseHeldOut: Double?
    package let runs: Int
    package let heldOut: Int
    package let initialPoints: Int
    package let objective: Double
    package let huber: Double
    /// How runs were weighted, and λ of the decay; nil where nothing was asked for.
    package let weighting: RunWeighting?
    package let decay: Double?
    /// Akaike's criterion with the correction for few runs, on log residuals; lower is better.
    package let aicc: Double?
    /// Schwarz's criterion, likewise.
    package let bic: Double
    /// Adjusted R² of log losses over all runs; nil in files of earlier versions.
    package let explained: Double?
    package let domain: FittedDomain
    /// What the runs had in common; nil in files of earlier versions.
    package let conventions: RunConventions?
    /// Parameters of resampled fits; only in files.
    package var samples: [[Double]]?

    enum CodingKeys: String, CodingKey {
        case law, parameters, values, undetermined, intervals, runs, objective, huber, weighting, aicc, bic, explained,
            domain, conventions, samples
        case decay = "weight_decay"
        case rmseTrain = "rmse_train"
        case rmseHeldOut = "rmse_held_out"
        case heldOut = "held_out"
        case initialPoints = "initial_points"
    }

    init<Law: ScalingLaw>(_ fit: Fit<Law>) {
        let metadata = Law.metadata, names = metadata.parameters.map(\.name)
        law = metadata.name
        values = fit.law.parameters
        let lost = fit.identifiability.undetermined
        parameters = Dictionary(
            uniqueKeysWithValues: names.indices.map { (names[$0], lost[$0] == nil ? fit.law.parameters[$0] : nil) })
        undetermined = Dictionary(uniqueKeysWithValues: lost.map { (names[$0.key], $0.value) })
        intervals = Dictionary(
            uniqueKeysWithValues: names.indices.compactMap { j in lost[j] == nil ? (names[j], fit.interval(j)) : nil })
        rmseTrain = fit.trainingError
        rmseHeldOut = fit.heldOutError
        runs = fit.runs.count
        heldOut = fit.heldOut.count
        initialPoints = fit.starts
        objective = fit.minimum
        huber = fit.objective.huber
        weighting = fit.objective.weighting == .equal ? nil : fit.objective.weighting
        decay = fit.objective.decay == 0 ? nil : fit.objective.decay
        let criteria = fit.criteria
        (aicc, bic) = (criteria.aicc, criteria.bic)
        explained = fit.explained
        domain = fit.domain
        conventions = RunConventions(fit.runs)
        samples = fit.samples
    }

    /// Whether the law accounts for more than half of the differences between the runs.
    package var explainsRuns: Bool { explained.map { $0 >= 0.5 } ?? true }

    /// What to say of a fit that does not account for its runs; nil of another.
    package var caution: String? {
        guard let explained, !explainsRuns else { return nil }
        return "the law explains \(decimals(100 * max(0, explained), 0)) % of the differences between the losses of "
            + "its runs: a plan by it is a guess. Look for runs that diverged, or whose losses do not compare"
    }

    /// Reads what `fit --output` wrote.
    ///
    /// - Throws: a `Failure` if the file is not there or no fit
    package static func read(file: String) throws(Failure) -> FitRecord {
        guard let data = try? Data(RegularFile(file).contents(limit: 1 << 24)) else {
            throw Failure(
                .noInput, "cannot read the fit \(file)", advice: "write one with `switchyard fit RUNS --output FILE`")
        }
        do {
            return try JSONDecoder.ofRecords().decode(FitRecord.self, from: data)
        } catch {
            throw Failure(
                .data, "\(file) is not the file of a fit", advice: "write one with `switchyard fit RUNS --output FILE`")
        }
    }

    /// The fitted law for plans.
    ///
    /// - Throws: a `Failure` if the record does not suit its law
    package func planningLaw(name: String) throws(Failure) -> PlanningLaw {
        let form = try LawCatalog.form(named: law), count = form.metadata.parameters.count
        guard values.count == count, (samples ?? []).allSatisfy({ $0.count == count }) else {
            throw Failure(.data, "\(name): the law `\(law)` has \(count) parameters, the file gives \(values.count)")
        }
        guard form.metadata.observes == .loss else {
            throw Failure(.usage, "\(name): the law `\(law)` predicts no loss, so it cannot choose a model")
        }
        let fitted = form.init(parameters: values)
        return PlanningLaw(
            name: name, law: fitted, dense: form.metadata.describesDense ? fitted : nil, domain: domain,
            certainty: .fitted(rmse: max(rmseTrain, rmseHeldOut ?? 0), samples: samples ?? []),
            conventions: conventions ?? RunConventions(), caution: caution,
            undetermined: form.metadata.parameters.map(\.name).filter { undetermined[$0] != nil })
    }
}
