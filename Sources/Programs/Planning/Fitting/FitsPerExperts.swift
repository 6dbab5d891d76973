package import Diagnostics
import Platform

/// One law fitted anew to the runs of every number of experts.
///
/// Ludziejewski et al. 2025 (arXiv:2502.05172) hold their joint law against such fits of `L = E + A/N^α + B/D^β`: no law for all
/// numbers of experts that has this form at each of them can be closer to the runs.
package struct FitsPerExperts: Sendable {
    /// E with its fit, ascending.
    package let fits: [(experts: Double, report: FitReport)]
    /// E whose runs cannot determine the law, and why.
    package let unused: [(experts: Double, runs: Int, reason: String)]
    private let law: LawMetadata

    /// What runs must say of themselves.
    package static func needs(_ law: LawMetadata) -> RunNeeds {
        var needs = RunNeeds([law])
        needs.variables.insert(.experts)
        return needs
    }

    /// - Throws: a `Failure` if `form` knows experts itself, or no number of experts has enough runs
    package init(
        _ form: any ScalingLaw.Type, _ runs: [RunMeasurement], _ options: FitOptions
    ) throws(Failure) {
        law = form.metadata
        guard !law.variables.contains(.experts) else {
            throw Failure(
                .usage, "the law `\(law.name)` is about the number of experts, so it has no fit for each of them",
                advice: "leave --per out, or use --law chinchilla")
        }
        var fits: [(experts: Double, report: FitReport)] = [], refused: [(Double, Int, Failure)] = []
        for (experts, group) in Dictionary(grouping: runs, by: \.point.experts).sorted(by: { $0.key < $1.key }) {
            do throws(Failure) {
                fits.append((experts, try FitReport(form, group, options)))
            } catch {
                refused.append((experts, group.count, error))
            }
        }
        if fits.isEmpty, let first = refused.first { throw first.2 }
        self.fits = fits
        unused = refused.map { (experts: $0.0, runs: $0.1, reason: $0.2.message) }
    }

    /// Over the runs of all fits that were not held out, and over those that were; nats.
    package var rmse: (train: Double, heldOut: Double?) {
        var train = (squares: 0.0, runs: 0), out = train
        for record in fits.map(\.report.record) {
            train.squares += record.rmseTrain * record.rmseTrain * Double(record.runs - record.heldOut)
            train.runs += record.runs - record.heldOut
            guard let error = record.rmseHeldOut else { continue }
            out.squares += error * error * Double(record.heldOut)
            out.runs += record.heldOut
        }
        let mean = { (sum: (squares: Double, runs: Int)) in (sum.squares / Double(sum.runs)).squareRoot() }
        return (mean(train), out.runs > 0 ? mean(out) : nil)
    }

    /// A row for every number of experts.
    package var text: String {
        let names = law.parameters.map(\.name)
        var table = TextTable(["experts", "runs"] + names + ["RMSE", "held out"])
        for (experts, report) in fits {
            let record = report.record
            let values = zip(names, record.values).map { name, value in
                record.undetermined[name] == nil ? significant(value, 4) : "–"
            }
            table.add(
                [significant(experts, 4), "\(record.runs)"] + values
                    + [significant(record.rmseTrain, 3), record.rmseHeldOut.map { significant($0, 3) } ?? "–"])
        }
        let (train, heldOut) = rmse
        table.add(
            ["all", "\(fits.reduce(0) { $0 + $1.report.record.runs })"] + names.map { _ in "" }
                + [significant(train, 3), heldOut.map { significant($0, 3) } ?? "–"])
        var lines = ["\(law.title) for each number of experts: \(law.formula)", "  \(law.source)", "", table.text]
        if fits.contains(where: { !$0.report.record.undetermined.isEmpty }) {
            lines.append("–: not determined by the runs of that number of experts")
        }
        if !unused.isEmpty {
            lines += ["", "Not used:"]
            lines += unused.map { "  \(significant($0.experts, 4)) experts: \($0.reason)" }
        }
        return lines.joined(separator: "\n")
    }

    package var record: FitsPerExpertsRecord {
        FitsPerExpertsRecord(
            law: law.name,
            fits: fits.map { entry in
                var record = entry.report.record
                record.samples = nil
                return .init(experts: entry.experts, fit: record)
            }, unused: unused.map { .init(experts: $0.experts, runs: $0.runs, reason: $0.reason) },
            rmseTrain: rmse.train,
            rmseHeldOut: rmse.heldOut)
    }
}

/// `FitsPerExperts` for programs, under names that stay.
package struct FitsPerExpertsRecord: Sendable, Encodable {
    package struct Entry: Sendable, Encodable {
        let experts: Double
        let fit: FitRecord
    }

    package struct Unused: Sendable, Encodable {
        let experts: Double
        let runs: Int
        let reason: String
    }

    let law: String
    let per = "experts"
    let fits: [Entry]
    let unused: [Unused]
    let rmseTrain: Double
    let rmseHeldOut: Double?

    enum CodingKeys: String, CodingKey {
        case law, per, fits, unused
        case rmseTrain = "rmse_train"
        case rmseHeldOut = "rmse_held_out"
    }
}
