import ArgumentParser
import Diagnostics
import Planning

extension FitCommand {
    /// Reads the runs and prints what `analysis` finds in them.
    func analyze(_ analysis: RunAnalysis) throws {
        try refuse(descent.given + outputs + (per == nil ? [] : ["--per"]), with: "--law \(analysis.rawValue)")
        let records = try records(for: analysis.needs), resamples = try resampling.count()
        switch analysis {
        case .isoflop:
            let found = try IsoFLOP(records, resamples: resamples, seed: resampling.seed)
            if json { try printJSON(IsoFLOPRecord(found)) } else { try StandardOutput.write(found.text) }
        case .learningRate, .batchSize:
            let setting: SweptSetting = analysis == .learningRate ? .learningRate : .batchTokens
            let found = try SettingSweep(setting, records, resamples: resamples, seed: resampling.seed)
            if json { try printJSON(SettingSweepRecord(found)) } else { try StandardOutput.write(found.text) }
        }
    }

    /// Fits a law for every number of experts and prints a table of them.
    func fitPerExperts(_ forms: [any ScalingLaw.Type]) throws {
        try refuse(outputs, with: "--per experts")
        guard forms.count == 1 else { throw Failure(.usage, "--per experts takes one law", advice: "give one --law") }
        let metadata = forms[0].metadata
        let fits = try FitsPerExperts(
            forms[0], try records(for: FitsPerExperts.needs(metadata)), try descent.options(metadata.name, resampling))
        if json { try printJSON(fits.record) } else { try StandardOutput.write(fits.text) }
    }

    /// Fits laws with the same runs held out and prints how they compare.
    func compareLaws(_ forms: [any ScalingLaw.Type]) throws {
        try refuse(outputs + (per == nil ? [] : ["--per"]) + (law == "joint" ? [] : ["--law"]), with: "--compare")
        let names = forms.map { form in form.metadata.name }
        guard forms.count > 1, Set(names).count == forms.count else {
            throw Failure(
                .usage, "--compare takes two different laws or more, not `\(compare ?? "")`",
                advice: "for example --compare joint,chinchilla")
        }
        let comparison = try LawComparison(
            forms, try records(for: RunNeeds(forms.map { form in form.metadata }))
        ) { law throws(Failure) in
            var options = try descent.options(law, resampling)
            options.resamples = 0
            return options
        }
        if json { try printJSON(comparison.entries) } else { try StandardOutput.write(comparison.text) }
    }

    /// Options that ask for files.
    private var outputs: [String] {
        [("--output", output), ("--plots", plots)].compactMap { option, value in value == nil ? nil : option }
    }

    /// - Throws: a `Failure` if there are options that would have no effect
    private func refuse(_ options: [String], with other: String) throws(Failure) {
        guard let option = options.first else { return }
        throw Failure(.usage, "\(option) has no effect with \(other)", advice: "leave one of them out")
    }
}

/// What a law is fitted anew for each of.
enum FitPer: String, ExpressibleByArgument, CaseIterable {
    case experts
}
