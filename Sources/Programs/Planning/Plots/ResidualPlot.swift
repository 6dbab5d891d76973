import Diagnostics

/// What a fit leaves over: measured against predicted loss of every run, colored by experts; held-out runs as rings.
package func residualPlot(_ report: FitReport) -> Plot {
    let percent = { (residual: Residual) in 100 * (residual.run.loss / residual.predicted - 1) }
    let isLoss = type(of: report.law).metadata.observes == .loss
    let experts = Set(report.residuals.map(\.run.point.experts)).sorted()
    let squares = report.residuals.map { percent($0) * percent($0) }
    let spread = (squares.reduce(0, +) / Double(max(squares.count, 1))).squareRoot()
    let reach = max(report.residuals.map { abs(percent($0)) }.max() ?? 0, 2.5 * spread, 1e-9)
    var chart = Chart(
        title: "What the fit of `\(report.record.law)` leaves over",
        subtitle: "\(report.record.runs) runs; rings were held out to judge the fit; the stripe is one RMS, "
            + "\(significant(spread, 2)) %.",
        x: Axis(
            isLoss ? "predicted loss, nats per token" : "predicted leverage", .linear,
            covering: report.residuals.map(\.predicted)),
        y: Axis("measured above predicted, %", .linear, covering: [-reach, reach]))
    chart.marks.append(.stripe(-spread...spread, color: "#eef1f5"))
    chart.marks.append(
        .line([(chart.x.range.lowerBound, 0), (chart.x.range.upperBound, 0)], color: Palette.axis, width: 1))
    for (index, count) in experts.enumerated() {
        let color = Palette.ordered(index, of: experts.count)
        for heldOut in [false, true] {
            let dots = report.residuals.filter { $0.run.point.experts == count && $0.heldOut == heldOut }
            chart.marks.append(.dots(dots.map { ($0.predicted, percent($0)) }, color: color, hollow: heldOut))
        }
        chart.legend.append((color, "E = \(significant(count, 4))"))
    }
    return Plot(name: "residuals-\(report.record.law)", svg: chart.svg)
}
