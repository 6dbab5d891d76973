package import Charts
import Diagnostics

/// What a fit leaves over: measured against predicted loss of every run, colored by experts; held-out runs as rings.
package func residualPlot(_ report: FitReport) -> Plot {
    residualPlot(of: report.law, report.residuals)
}

/// The same of a law and any runs.
package func residualPlot(of law: any ScalingLaw, _ residuals: [Residual]) -> Plot {
    let metadata = type(of: law).metadata
    let percent = { (residual: Residual) in 100 * (residual.run.loss / residual.predicted - 1) }
    let isLoss = metadata.observes == .loss
    let experts = Set(residuals.map(\.run.point.experts)).sorted()
    let squares = residuals.map { percent($0) * percent($0) }
    let spread = (squares.reduce(0, +) / Double(max(squares.count, 1))).squareRoot()
    let reach = max(residuals.map { abs(percent($0)) }.max() ?? 0, 2.5 * spread, 1e-9)
    var chart = Chart(
        title: "What the fit of `\(metadata.name)` leaves over",
        subtitle: "\(residuals.count) runs; rings were held out to judge the fit; the stripe is one RMS, "
            + "\(significant(spread, 2)) %.",
        x: Axis(
            isLoss ? "predicted loss, nats per token" : "predicted leverage", .linear,
            covering: residuals.map(\.predicted)),
        y: Axis("measured above predicted, %", .linear, covering: [-reach, reach]))
    chart.marks.append(.stripe(-spread...spread, color: .band))
    chart.marks.append(
        .line([(chart.x.range.lowerBound, 0), (chart.x.range.upperBound, 0)], color: .axis, width: 1))
    for (index, count) in experts.enumerated() {
        let color = ChartColor.ordered(index, of: experts.count)
        for heldOut in [false, true] {
            let dots = residuals.filter { $0.run.point.experts == count && $0.heldOut == heldOut }
            chart.marks.append(
                .dots(
                    dots.map { ($0.predicted, percent($0)) }, color: color, hollow: heldOut, names: dots.map(\.name)))
        }
        chart.legend.append((color, "E = \(significant(count, 4))"))
    }
    return Plot(name: "residuals-\(metadata.name)", chart)
}

extension Residual {
    fileprivate var name: String {
        "\(run.source): loss \(decimals(run.loss, 4)), predicted \(decimals(predicted, 4))"
    }
}
