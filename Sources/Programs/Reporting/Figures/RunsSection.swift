import Charts
import Diagnostics
package import Planning

extension PageSection {
    /// The runs of a study or of a table.
    /// - Parameter name: where they come from
    package init(_ runs: [RunMeasurement], from name: String) {
        self.init("Runs of \(name)")
        figures = [
            losses(of: runs, over: "training FLOPs", write: scientific, \.point.flops),
            losses(of: runs, over: "active parameters", write: shortCount, \.point.active),
            losses(of: runs, over: "training tokens", write: shortCount, \.point.tokens),
        ]
        figures[0].table = results(of: runs)
        paragraphs = ["\(runs.count) results."]
    }
}

/// The loss of every run over one of its sizes, colored by experts.
private func losses(
    of runs: [RunMeasurement], over unit: String, write: @escaping @Sendable (Double) -> String,
    _ size: KeyPath<RunMeasurement, Double>
) -> Figure {
    let experts = Set(runs.map(\.point.experts)).sorted()
    var chart = Chart(
        title: "Loss over \(unit)", subtitle: "",
        x: Axis(unit, .logarithmic, covering: runs.map { $0[keyPath: size] }, write: write),
        y: Axis("loss, nats per token", .linear, covering: runs.map(\.loss)))
    for (index, count) in experts.enumerated() {
        let color = ChartColor.ordered(index, of: experts.count), members = runs.filter { $0.point.experts == count }
        chart.marks.append(
            .dots(members.map { ($0[keyPath: size], $0.loss) }, color: color, names: members.map(\.description)))
        chart.legend.append((color, "E = \(significant(count, 4))"))
    }
    return Figure(chart: chart)
}

extension RunMeasurement {
    fileprivate var description: String {
        "E = \(significant(point.experts, 4)), \(shortCount(point.active)) active, \(shortCount(point.tokens)) tokens: "
            + "loss \(decimals(loss, 4)) (\(source))"
    }
}

/// The best first.
private func results(of runs: [RunMeasurement]) -> PageTable {
    let sorted = runs.sorted { $0.loss < $1.loss }
    return PageTable(
        header: ["where", "E", "G", "K", "active", "parameters", "tokens", "FLOPs", "learning rate", "loss"],
        rows: sorted.map { run in
            let point = run.point
            return [
                run.source, significant(point.experts, 4), significant(point.granularity, 4),
                significant(point.topK, 4), shortCount(point.active), shortCount(point.total),
                shortCount(point.tokens), scientific(point.flops), run.learningRate.map { significant($0, 4) } ?? "–",
                decimals(run.loss, 4),
            ]
        })
}
