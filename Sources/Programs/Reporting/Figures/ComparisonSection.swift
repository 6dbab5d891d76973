import Charts
import Diagnostics
import RunFormat

extension PageSection {
    /// Several runs, side by side.
    package init(comparing runs: [RunHistory]) {
        self.init("\(runs.count) runs side by side")
        tables = [("Results", results(of: runs))]
        figures = [
            losses(of: runs, title: "Training loss", over: .tokens, \.trainingLosses),
            losses(of: runs, title: "Held-out loss", over: .tokens, \.heldOutLosses),
            losses(of: runs, title: "Training loss over time", over: .hours, \.trainingLosses),
            losses(of: runs, title: "Held-out loss over time", over: .hours, \.heldOutLosses),
        ].compactMap(\.self)
    }
}

/// A loss after some training.
private struct LossPoint {
    let tokens, hours, loss: Double
}

private enum Progress: Sendable {
    case tokens, hours

    var title: String { self == .tokens ? "training tokens" : "hours of training" }

    func text(_ value: Double) -> String { self == .tokens ? shortCount(value) : significant(value, 3) }

    func place(of point: LossPoint) -> Double { self == .tokens ? point.tokens : point.hours }
}

extension RunHistory {
    fileprivate var trainingLosses: [LossPoint] {
        records.points.compactMap { point in
            point[.loss].mean.map { LossPoint(tokens: Double(point.tokens), hours: point.hours, loss: $0) }
        }
    }

    fileprivate var heldOutLosses: [LossPoint] {
        validations.map { LossPoint(tokens: Double($0.tokens), hours: $0.hours, loss: $0.loss) }
    }
}

/// One curve a run; nil where no run has two points.
private func losses(
    of runs: [RunHistory], title: String, over progress: Progress, _ points: KeyPath<RunHistory, [LossPoint]>
) -> Figure? {
    let curves = runs.map { run in run[keyPath: points].map { (progress.place(of: $0), $0.loss) } }
    guard curves.contains(where: { $0.count > 1 }) else { return nil }
    let all = curves.flatMap(\.self)
    var chart = Chart(
        title: title, subtitle: "",
        x: Axis(
            progress.title, .linear, covering: all.map(\.0), room: 0,
            write: progress.text),
        y: Axis("loss, nats per token", .linear, covering: RunCurves.withoutBeginning(all.map(\.1))))
    for (index, (run, curve)) in zip(runs, curves).enumerated() {
        chart.marks.append(.line(curve, color: .ordered(index, of: runs.count), label: run.name, width: 1.8))
    }
    return Figure(chart: chart)
}

/// A row a run.
private func results(of runs: [RunHistory]) -> PageTable {
    let header = [
        "run", "parameters", "active", "experts", "tokens", "training loss", "held-out loss", "bits per byte",
        "best held-out", "tokens/s", "MFU, %", "dropped, %", "time",
    ]
    let rows = runs.map { run in
        [
            run.name, run.summary.map { shortCount(Double($0.nTotal)) },
            run.summary.map { shortCount(Double($0.nActive)) },
            run.summary.map { "\($0.experts)" }, shortCount(Double(run.last?.tokens ?? 0)),
            run.lastLoss.map { decimals($0, 4) }, run.validations.last.map { decimals($0.loss, 4) },
            run.validations.last?.bitsPerByte.map { decimals($0, 4) },
            run.validations.map(\.loss).min().map { decimals($0, 4) }, run.typical(.tokensPerSecond).map(shortCount),
            run.typical(.mfu).map { decimals($0, 1) }, run.typical(.droppedRatio).map { decimals($0, 2) },
            time(3600 * run.hours),
        ].map { $0 ?? "–" }
    }
    return PageTable(header: header, rows: rows)
}
