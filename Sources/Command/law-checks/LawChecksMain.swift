import Diagnostics
import Foundation
import Planning

/// Fits of simulated runs, for development: how often intervals hold the truth, and tables for other software.
///
///     law-checks coverage LAW FITS [OUTLIERS [RUNS [FIRST-SEED]]]
///     law-checks tables DIRECTORY COUNT [OUTLIERS]
@main
struct LawChecksMain {
    static func main() {
        do {
            let words = Array(CommandLine.arguments.dropFirst())
            switch words.first {
            case "coverage" where words.count > 2: try coverage(words)
            case "tables" where words.count > 2: try tables(words)
            default:
                print("law-checks coverage LAW FITS [OUTLIERS [RUNS [FIRST-SEED]]]")
                print("law-checks tables DIRECTORY COUNT [OUTLIERS]")
            }
        } catch {
            print(error)
            exit(1)
        }
    }

    private static func number(_ words: [String], _ index: Int) -> Double? {
        words.indices.contains(index) ? Double(words[index]) : nil
    }

    private static func coverage(_ words: [String]) throws {
        guard let (law, runs) = SimulatedStudy.law(named: words[1]), let fits = UInt64(words[2]), fits > 0 else {
            throw Failure(.usage, "no law `\(words[1])`, or no number of fits `\(words[2])`")
        }
        let first = UInt64(number(words, 5) ?? 1), start = ContinuousClock.now
        let coverage = try Coverage.measure(
            law, runs: Int(number(words, 4) ?? Double(runs)), seeds: first...(first + fits - 1),
            outliers: number(words, 3) ?? 0)
        print(coverage.text)
        print("\(ContinuousClock.now - start)")
    }

    /// `DIRECTORY/LAW-SEED.csv`, and `objectives.csv` with what the fits reach.
    private static func tables(_ words: [String]) throws {
        guard let count = UInt64(words[2]), count > 0 else { throw Failure(.usage, "no number `\(words[2])`") }
        var lines = ["table,law,huber,objective"], options = FitOptions()
        options.resamples = 0
        for (law, runs) in SimulatedStudy.laws {
            for seed in 1...count {
                let table = SimulatedTable(seed: seed, outliers: number(words, 3) ?? 0).runs(law, count: runs)
                let name = "\(law.name)-\(seed).csv"
                try csv(table, type(of: law).metadata).write(
                    toFile: "\(words[1])/\(name)", atomically: true, encoding: .utf8)
                let report = try FitReport(type(of: law), table, options)
                lines.append("\(name),\(law.name),\(report.record.huber),\(report.record.objective)")
            }
        }
        let file = "\(words[1])/objectives.csv"
        try (lines.joined(separator: "\n") + "\n").write(toFile: file, atomically: true, encoding: .utf8)
    }

    private static func csv(_ runs: [RunMeasurement], _ metadata: LawMetadata) -> String {
        let lines = runs.map { run in
            let x = run.point
            return [
                x.active, x.total, x.embedding, x.tokens, x.flops, x.experts, x.granularity, x.topK, x.sharedRatio,
                run.loss,
            ]
            .map { "\($0)" }.joined(separator: ",")
        }
        return
            "n_active,n_total,n_embedding,tokens,flops,experts,granularity,top_k,shared_ratio,\(metadata.observes.rawValue)\n"
            + lines.joined(separator: "\n") + "\n"
    }
}
