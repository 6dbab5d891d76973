import Diagnostics
import Foundation
import RunFormat

/// The size of a terminal and what it can show.
package struct TerminalSize: Sendable, Equatable {
    package var columns, rows: Int
    /// Whether it shows characters beyond ASCII.
    package var hasUnicode: Bool

    package init(columns: Int, rows: Int, hasUnicode: Bool) {
        self.columns = columns
        self.rows = rows
        self.hasUnicode = hasUnicode
    }

    var glyphs: TerminalGlyphs { hasUnicode ? .unicode : .ascii }
}

/// What `watch` shows of a run: as many lines as the terminal has rows, or fewer.
struct RunFrame {
    private let run: RunHistory
    private let progress: RunProgress
    private let size: TerminalSize
    /// Experts whose loads are shown side by side.
    private static let mostColumns = 16

    init(_ run: RunHistory, _ size: TerminalSize, now: Date) {
        self.run = run
        self.size = size
        progress = RunProgress(run, now: now)
    }

    var lines: [StyledLine] {
        let above = [title, bar] + numbers, below = speed + layers(atMost: max(2, size.rows / 3)) + checkpoints
        let rest = size.rows - above.count - below.count
        let curve = rest >= 4 && run.last != nil ? curves(rows: rest) : []
        return (above + curve + below).prefix(size.rows).map { $0.cut(to: size.columns) }
    }

    private var title: StyledLine {
        var line = StyledLine(visible(run.name), .bold)
        switch progress.state {
        case .finished: line.add("  finished")
        case .training: line.add("  training", .training)
        case .silent(let seconds) where seconds.isFinite:
            line.add("  no sign of life for \(duration(seconds))", .warning)
        case .silent: line.add("  no job", .warning)
        }
        if let summary = run.summary {
            line.add(
                "  \(summary.ranks) rank\(summary.ranks == 1 ? "" : "s") of \(summary.threadsPerRank) "
                    + "thread\(summary.threadsPerRank == 1 ? "" : "s"), \(shortCount(Double(summary.nTotal))) parameters, "
                    + "\(shortCount(Double(summary.nActive))) active", .dim)
        }
        return line
    }

    private var bar: StyledLine {
        guard let last = run.last else { return StyledLine("no step is done yet", .dim) }
        let all = progress.lastStep.map { "/\($0)" } ?? ""
        var text = "step \(last.step)\(all)  \(shortCount(Double(last.tokens))) tokens  \(time(3600 * run.hours))"
        if progress.state != .finished, let left = progress.secondsLeft { text += "  ETA \(duration(left))" }
        guard let lastStep = progress.lastStep, lastStep > 0 else { return StyledLine(text) }
        let width = max(10, size.columns - text.count - 10)
        let share = Double(last.step) / Double(lastStep)
        var line = StyledLine()
        line.addBar(share, of: width, .training, size.glyphs)
        line.add(" \(decimals(100 * share, share < 1 ? 1 : 0)) %  " + text)
        return line
    }

    private var numbers: [StyledLine] {
        guard let last = run.last else { return [] }
        var line = StyledLine("loss ", .dim)
        line.add(decimals(last.loss, 4), .training)
        if let held = run.validations.last {
            line.add("   held-out ", .dim)
            line.add(decimals(held.loss, 4), .heldOut)
            line.add(" at step \(held.step)", .dim)
        }
        line.add("   norm ", .dim)
        line.add(decimals(last.gradientNorm, 3))
        line.add("   rate ", .dim)
        line.add(significant(last.learningRate, 3))
        if run.events.skippedSteps > 0 { line.add("   \(run.events.skippedSteps) steps skipped", .warning) }
        return [line]
    }

    private func curves(rows: Int) -> [StyledLine] {
        let points = run.records.points
        let training = points.compactMap { point in point[.loss].mean.map { (x: Double(point.tokens), y: $0) } }
        let held = run.validations.map { (x: Double($0.tokens), y: $0.loss) }
        let all = (training + held).map(\.y)
        return TerminalCurves(
            [
                TerminalCurves.Curve(points: training, style: .training, letter: "*"),
                TerminalCurves.Curve(points: held, style: .heldOut, letter: "o"),
            ], columns: size.columns, rows: rows, glyphs: size.glyphs, covering: RunCurves.withoutBeginning(all)
        ).lines
    }

    private var speed: [StyledLine] {
        guard let last = run.last else { return [] }
        var line = StyledLine("\(grouped(last.tokensPerSecond)) tokens/s")
        let doubt = last.mfuIsDoubtful == true ? " (doubtful)" : ""
        line.add("  MFU \(decimals(100 * last.mfu, 1)) %\(doubt)  ")
        line.add("step \(time(last.seconds)): ", .dim)
        let parts = [
            ("compute", last.computeSeconds), ("exchange", last.exchangeSeconds), ("reduction", last.reductionSeconds),
            ("waiting", last.waitingSeconds),
        ]
        let shares = parts.filter { $0.1 > 0 && last.seconds > 0 }.map {
            "\($0.0) \(decimals(100 * $0.1 / last.seconds, 0)) %"
        }
        line.add(shares.joined(separator: ", "), .dim)
        return [line]
    }

    /// The load of the most loaded expert and the drops of each layer, two layers a row where there are many.
    private func layers(atMost rows: Int) -> [StyledLine] {
        guard let last = run.last, last.loadImbalanceByLayer.contains(where: { $0 > 1 }) else { return [] }
        let most = max(2, last.loadImbalanceByLayer.filter(\.isFinite).max() ?? 2)
        let cells = last.loadImbalanceByLayer.enumerated().map { layer, load in
            cell(layer, load, dropped: last.droppedRatioByLayer.dropFirst(layer).first ?? 0, most)
        }
        let width = (cells.map(\.count).max() ?? 0) + 3, perRow = max(1, min(cells.count, (size.columns + 3) / width))
        let needed = (cells.count + perRow - 1) / perRow
        let header = StyledLine("load of the experts, of the most loaded one over the mean, and drops, by layer", .dim)
        let shown = (0..<min(needed, rows - 1)).map { row in
            var line = StyledLine()
            for (place, cell) in cells.dropFirst(row * perRow).prefix(perRow).enumerated() {
                line.pad(to: place * width)
                line.add(cell)
            }
            return line
        }
        let hidden = cells.count - min(cells.count, shown.count * perRow)
        return [hidden > 0 ? StyledLine(header.text + "; \(hidden) more layers do not fit", .dim) : header] + shown
    }

    /// A column for every expert where they are few enough and the records have them, else a bar for the most loaded one.
    private func cell(_ layer: Int, _ load: Double, dropped: Double, _ most: Double) -> StyledLine {
        var line = StyledLine(String(repeating: " ", count: max(0, 3 - "\(layer)".count)) + "\(layer) ", .dim)
        let style = load > 2 ? StyledLine.Style.warning : .training
        if layer < run.lastLoads.count, run.lastLoads[layer].count <= Self.mostColumns {
            line.addColumns(run.lastLoads[layer].map { $0 / 2 }, style, size.glyphs)
        } else {
            line.addBar(load / most, of: 8, style, size.glyphs)
        }
        let drops = decimals(100 * dropped, 1)
        line.add(" \(decimals(load, 2))" + String(repeating: " ", count: max(1, 6 - drops.count)) + drops + " %")
        return line
    }

    private var checkpoints: [StyledLine] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: run.directory.checkpoints)) ?? []
        let steps = names.filter { $0.hasPrefix("step-") }.compactMap { Int($0.dropFirst(5)) }.sorted()
        guard let newest = steps.last else { return [StyledLine("no checkpoint yet", .dim)] }
        var line = StyledLine("\(steps.count) checkpoint\(steps.count == 1 ? "" : "s"), newest of step \(newest)", .dim)
        if let last = run.last { line.add("   memory \(byteCount(last.peakMemoryBytes))", .dim) }
        if let event = run.events.events.last { line.add("   step \(event.step): \(visible(event.text))", .warning) }
        return [line]
    }
}
