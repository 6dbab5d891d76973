import Diagnostics
import Planning

extension FitCommand {
    /// Reads the runs and prints what `analysis` finds in them.
    func analyze(_ analysis: RunAnalysis) throws {
        var without = descent.given
        if output != nil { without.append("--output") }
        if plots != nil { without.append("--plots") }
        if let option = without.first {
            throw Failure(
                .usage, "\(option) has no effect with --law \(analysis.rawValue), which fits no law of the loss",
                advice: "leave it out")
        }
        let records = try records(for: analysis.needs), resamples = try resampling.count()
        switch analysis {
        case .isoflop:
            let found = try IsoFLOP(records, resamples: resamples, seed: resampling.seed)
            if json { try printJSON(IsoFLOPRecord(found)) } else { try StandardOutput.write(found.text) }
        }
    }
}
