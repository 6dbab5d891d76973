import Diagnostics
import Foundation
import Platform
import RunFormat

/// A study as its directory tells it while workers train its rows (docs/sweeps.md).
struct StudyWatch {
    private struct Row {
        enum State { case training, waiting, done, diverged }

        let name: String
        var state: State
        var share: Double
        var loss: Double?
        var secondsLeft: Double?
    }

    private let path: String
    private var histories: [String: RunHistory] = [:]
    private var rows: [Row] = []

    init(_ path: String) throws(Failure) {
        self.path = path
        try refresh()
    }

    mutating func refresh() throws(Failure) {
        let configurations = try OpenDirectory("\(path)/configs").names().filter { $0.hasSuffix(".yaml") }
        rows = []
        for name in configurations.map({ String($0.dropLast(5)) }).sorted() { rows.append(row(name)) }
    }

    private mutating func row(_ name: String) -> Row {
        let directory = "\(path)/runs/\(name)"
        // What was done on another machine has results and no run.
        if histories[name] == nil { histories[name] = try? RunHistory(directory) }
        try? histories[name]?.refresh()
        let outcome = outcome(of: name)
        guard let run = histories[name] else {
            return Row(name: name, state: outcome ?? .waiting, share: outcome == nil ? 0 : 1)
        }
        let progress = RunProgress(run, now: Date())
        let share = progress.lastStep.map { Double(run.lastStep) / Double(max($0, 1)) } ?? 0
        return Row(
            name: name, state: outcome ?? (progress.state == .training ? .training : .waiting),
            share: outcome == nil ? share : 1, loss: run.validations.last?.loss ?? run.lastLoss,
            secondsLeft: progress.secondsLeft)
    }

    /// What a row that is done came to; nil of another.
    private func outcome(of name: String) -> Row.State? {
        struct Outcome: Decodable { let divergence: String? }
        let file = "\(path)/queue/\(name)/done.json"
        guard let bytes = try? RegularFile(file).contents(limit: 1 << 24),
            let outcome = try? JSONDecoder().decode(Outcome.self, from: Data(bytes))
        else { return nil }
        return outcome.divergence == nil ? .done : .diverged
    }

    func lines(_ size: TerminalSize, now: Date) -> [StyledLine] {
        let done = rows.count { $0.state == .done }, training = rows.count { $0.state == .training }
        let diverged = rows.count { $0.state == .diverged }
        var title = StyledLine(visible(splitPath(realPath(path) ?? path).name), .bold)
        title.add("  \(rows.count) rows so far: \(done) done, \(training) training", training > 0 ? .training : .plain)
        if diverged > 0 { title.add(", \(diverged) diverged", .warning) }
        // What is under way first, then what is next, then what is done last.
        let order: [Row.State] = [.training, .waiting, .diverged, .done]
        let sorted = order.flatMap { state in rows.filter { $0.state == state } }
        let shown = sorted.prefix(max(0, size.rows - 2))
        let width = min(shown.map(\.name.count).max() ?? 0, max(10, size.columns - 46))
        var lines = [title] + shown.map { line($0, width, size) }
        if shown.count < sorted.count { lines.append(StyledLine("\(sorted.count - shown.count) more rows", .dim)) }
        return lines.prefix(size.rows).map { $0.cut(to: size.columns) }
    }

    private func line(_ row: Row, _ width: Int, _ size: TerminalSize) -> StyledLine {
        // The end of a name says what is special about a row.
        let name = visible(row.name)
        var line = StyledLine(String(name.suffix(width)), row.state == .training ? .plain : .dim)
        line.pad(to: width + 2)
        line.addBar(row.share, of: 12, row.state == .done ? .dim : .training, size.glyphs)
        line.pad(to: width + 16)
        line.add(
            row.state == .done ? "done" : row.state == .diverged ? "diverged" : "\(decimals(100 * row.share, 0)) %")
        line.pad(to: width + 26)
        if let loss = row.loss { line.add("loss \(decimals(loss, 4))") }
        if row.state == .training, let left = row.secondsLeft { line.add("  ETA \(duration(left))") }
        return line
    }
}
