import Charts
import Diagnostics
import RunFormat

/// The charts of one run, over its tokens.
struct RunCurves {
    private let run: RunHistory
    private var points: [RecordPoint] { run.records.points }

    init(_ run: RunHistory) { self.run = run }

    /// Every chart for which the records have numbers.
    var figures: [Figure] {
        [
            loss, lossBySource,
            curve(.learningRate, "Learning rate", "learning rate"),
            curve(.gradientNorm, "Gradient norm", "norm of the gradient before clipping", .logarithmic),
            curve(.tokensPerSecond, "Throughput", "tokens per second", write: shortCount, fromZero: true),
            curve(.mfu, "Model FLOP/s utilization", "MFU, % of the measured matrix peak", fromZero: true),
            stepTime,
            curve(.droppedRatio, "Dropped assignments", "assignments without a slot, %", fromZero: true),
            LayerMap(points, \.imbalanceByLayer).imbalance, LayerMap(points, \.droppedByLayer).drops,
        ].compactMap(\.self) + ExpertLoadMaps(run.loads.points).figures
            + [curve(.peakMemory, "Memory", "peak memory of a rank", write: byteCount, fromZero: true)].compactMap(
                \.self)
    }

    private func tokens(_ points: [Double]) -> Axis {
        Axis("training tokens", .linear, covering: points, room: 0, write: shortCount)
    }

    private var allTokens: [Double] { points.map { Double($0.tokens) } }

    private func values(_ quantity: RecordQuantity) -> [(Double, Double)] {
        points.compactMap { point in point[quantity].mean.map { (Double(point.tokens), $0) } }
    }

    /// The range of a quantity within each point; empty where every point is one step.
    private func spread(_ quantity: RecordQuantity) -> [(x: Double, low: Double, high: Double)] {
        guard points.contains(where: { $0.steps.count > 1 }) else { return [] }
        return points.compactMap { point in
            let range = point[quantity]
            return range.count > 0 ? (Double(point.tokens), range.low, range.high) : nil
        }
    }

    private func curve(
        _ quantity: RecordQuantity, _ title: String, _ unit: String, _ scale: Axis.Scale = .linear,
        write: @escaping @Sendable (Double) -> String = { significant($0, 3) }, fromZero: Bool = false
    ) -> Figure? {
        let line = values(quantity), band = spread(quantity)
        guard line.count > 1, line.contains(where: { $0.1 != 0 }) else { return nil }
        let covered = line.map(\.1) + band.flatMap { [$0.low, $0.high] } + (fromZero ? [0] : [])
        var chart = Chart(
            title: title, subtitle: "", x: tokens(allTokens), y: Axis(unit, scale, covering: covered, write: write))
        if !band.isEmpty { chart.marks.append(.area(band, color: .accent, opacity: 0.2)) }
        chart.marks.append(.line(line, color: .accent, label: title.lowercased(), width: 1.6))
        return Figure(chart: chart, table: table(of: [(unit, line)], write: write))
    }

    private var loss: Figure? {
        let training = values(.loss), band = spread(.loss)
        guard !training.isEmpty else { return nil }
        let held = run.validations.map { (Double($0.tokens), $0.loss) }
        let averaged = run.validations.compactMap { point in point.emaLoss.map { (Double(point.tokens), $0) } }
        let shown = Self.withoutBeginning((training + held + averaged).map(\.1))
        var chart = Chart(
            title: "Loss", subtitle: "", x: tokens(allTokens), y: Axis("loss, nats per token", .linear, covering: shown)
        )
        if !band.isEmpty { chart.marks.append(.area(band, color: .accent, opacity: 0.2)) }
        chart.marks.append(.line(training, color: .accent, label: "training", width: 1.6))
        if !held.isEmpty {
            chart.marks.append(.line(held, color: .ordered(0.55), label: "held-out text"))
            chart.marks.append(.dots(held, color: .ordered(0.55), radius: 3))
        }
        if !averaged.isEmpty {
            chart.marks.append(
                .line(averaged, color: .ordered(0.2), label: "held-out text, average of the parameters", dashes: "5 4"))
        }
        return Figure(chart: chart, table: table(of: [("training", training), ("held-out text", held)]))
    }

    private var lossBySource: Figure? {
        let count = points.map(\.lossBySource.count).max() ?? 0
        guard count > 1 else { return nil }
        let lines = (0..<count).map { source in
            points.compactMap { point -> (Double, Double)? in
                guard source < point.lossBySource.count else { return nil }
                return point.lossBySource[source].mean.map { (Double(point.tokens), $0) }
            }
        }
        var chart = Chart(
            title: "Loss by source", subtitle: "", x: tokens(allTokens),
            y: Axis("loss, nats per token", .linear, covering: Self.withoutBeginning(lines.flatMap { $0.map(\.1) })))
        for (source, line) in lines.enumerated() {
            chart.marks.append(
                .line(line, color: .ordered(source, of: count), label: "source \(source)", width: 1.6))
            let held = heldOut(ofSource: source)
            if !held.isEmpty { chart.marks.append(.dots(held, color: .ordered(source, of: count), radius: 3)) }
        }
        let columns =
            lines.enumerated().map { ("source \($0.offset)", $0.element) }
            + lines.indices.map { ("held-out text of source \($0)", heldOut(ofSource: $0)) }
        return Figure(chart: chart, table: table(of: columns.filter { !$0.1.isEmpty }))
    }

    /// Loss over tokens on the part of the held-out text that is of a source.
    private func heldOut(ofSource source: Int) -> [(Double, Double)] {
        run.validations.compactMap { point in
            guard source < point.lossBySource.count, let loss = point.lossBySource[source], loss.isDrawable else {
                return nil
            }
            return (Double(point.tokens), loss)
        }
    }

    /// Losses that an axis should cover: of a long run not those of its first steps, which would flatten the rest.
    static func withoutBeginning(_ losses: [Double]) -> [Double] {
        guard losses.count >= 50 else { return losses }
        let sorted = losses.sorted()
        return [sorted[0], sorted[sorted.count * 95 / 100]]
    }

    /// The parts of a step's time on rank 0, on top of each other.
    private var stepTime: Figure? {
        let parts: [(RecordQuantity, String)] = [
            (.computeSeconds, "compute"), (.exchangeSeconds, "exchange"), (.reductionSeconds, "reduction"),
            (.waitingSeconds, "waiting"),
        ]
        let means = points.map { point in parts.map { point[$0.0].mean ?? 0 } }
        let sums = means.map { $0.reduce(0, +) }
        guard sums.count > 1, let most = sums.max(), most > 0 else { return nil }
        var chart = Chart(
            title: "Where a step's time goes", subtitle: "", x: tokens(allTokens),
            y: Axis("seconds of a step on rank 0", .linear, covering: [0, Self.withoutBeginning(sums).max() ?? most]))
        for (index, part) in parts.enumerated() {
            let layer = zip(points, means).map { point, mean in
                let low = mean[..<index].reduce(0, +)
                return (x: Double(point.tokens), low: low, high: low + mean[index])
            }
            let color = ChartColor.ordered(index, of: parts.count)
            chart.marks.append(.area(layer, color: color, opacity: 0.85))
            chart.legend.append((color, part.1))
        }
        let lines = parts.enumerated().map { index, part in
            (part.1, zip(points, means).map { (Double($0.tokens), $1[index]) })
        }
        return Figure(chart: chart, table: table(of: lines))
    }

    /// At most this many rows, evenly spaced, with the last.
    private static let rows = 20

    private func table(
        of lines: [(name: String, points: [(Double, Double)])],
        write: @escaping @Sendable (Double) -> String = { significant($0, 4) }
    ) -> PageTable {
        let stride = max(1, (points.count + Self.rows - 1) / Self.rows)
        let chosen = points.indices.filter { (points.count - 1 - $0) % stride == 0 }.map { points[$0] }
        let byTokens = lines.map { line in Dictionary(line.points, uniquingKeysWith: { $1 }) }
        var before = -1.0
        let rows = chosen.map { point in
            let tokens = Double(point.tokens)
            defer { before = tokens }
            return ["\(point.steps.upperBound)", shortCount(tokens)]
                + zip(lines, byTokens).map { line, values in
                    // A validation need not fall on the row's step: the last one since the row before.
                    let value = values[tokens] ?? line.points.last { $0.0 <= tokens && $0.0 > before }?.1
                    return value.map(write) ?? ""
                }
        }
        return PageTable(header: ["step", "tokens"] + lines.map(\.name), rows: rows)
    }
}
