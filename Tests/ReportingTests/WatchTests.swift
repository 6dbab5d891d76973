import Diagnostics
import Foundation
import RunFormat
import Reporting
import TestSupport
import Testing

@Suite("Live views") struct WatchTests {
    private let configuration = """
        model: {d_model: 8, layers: 2, heads: 2, context: 10, vocabulary_size: 300}
        data: {train: x}
        batch: {tokens: 100, micro_batch_tokens: 100}
        optimizer: {learning_rate: 0.001}
        run: {directory: run}
        """

    private func writeConfiguration(_ directory: String, _ train: String) throws {
        try (configuration + "\n" + train).write(
            toFile: "\(directory)/config.yaml", atomically: true, encoding: .utf8)
    }

    private func view(_ watch: Watch, columns: Int = 80, rows: Int = 24, unicode: Bool = true) -> [String] {
        let size = TerminalSize(columns: columns, rows: rows, hasUnicode: unicode)
        return watch.lines(size, now: Date(), colored: false)
    }

    @Test("a view fits into a terminal of any size, with and without Unicode") func sizes() throws {
        try inScratchFolder { folder in
            try writeRun("\(folder)/run", records(700) { $0.validationLoss = $0.step % 50 == 0 ? 4.2 : nil })
            try writeConfiguration("\(folder)/run", "train: {steps: 1000}")
            let watch = try Watch("\(folder)/run")
            for (columns, rows) in [(80, 24), (1, 1), (20, 5), (40, 12), (132, 50), (300, 100)] {
                for unicode in [false, true] {
                    let lines = view(watch, columns: columns, rows: rows, unicode: unicode)
                    #expect(lines.count <= rows && lines.allSatisfy { $0.count <= columns }, "\(columns) × \(rows)")
                    #expect(unicode || lines.joined().utf8.allSatisfy { $0 < 0x80 })
                }
            }
            let lines = view(watch)
            #expect(lines.count == 24 && lines[1].contains("70.0 %") && lines[1].contains("step 700/1000"))
            #expect(lines[1].contains("ETA 10m00s"))
        }
    }

    @Test("a curve falls from the upper left to the lower right") func curve() throws {
        try inScratchFolder { folder in
            try writeRun("\(folder)/run", records(40) { $0.loss = 8 - 0.1 * Double($0.step) })
            let lines = view(try Watch("\(folder)/run"), unicode: false).filter { $0.contains("|") }
            let places = lines.compactMap { line in Array(line).lastIndex(of: "*") }
            #expect(lines.count > 8 && places.count == lines.count)
            #expect(zip(places, places.dropFirst()).allSatisfy { $0 < $1 })
            #expect(lines.first?.contains("7.9 |*") == true && lines.last?.hasSuffix("*") == true)
        }
    }

    @Test("few experts have a column each, many only a bar for the most loaded one") func loads() throws {
        try inScratchFolder { folder in
            try writeRun(
                "\(folder)/run", records(3) { $0.expertLoad = $0.step == 2 ? [[4, 2, 2, 0], [1, 1, 1, 1]] : nil })
            let line = try #require(view(try Watch("\(folder)/run")).first { $0.contains("1.50") })
            #expect(line.contains("█▄▄ ") && line.contains("▄▄▄▄"))
            try writeRun(
                "\(folder)/run",
                records(3) { $0.expertLoad = [[Int]](repeating: .init(repeating: 1, count: 64), count: 2) })
            #expect(view(try Watch("\(folder)/run")).contains { $0.contains("1.50") && $0.contains("██████░░") })
        }
    }

    @Test("a view follows what a job appends, half a line is not taken, and what it cuts off is forgotten")
    func following() throws {
        try inScratchFolder { folder in
            let run = "\(folder)/run"
            try writeRun(run, records(5))
            var watch = try Watch(run)
            #expect(view(watch)[1].contains("step 5 "))
            let whole = try String(contentsOfFile: "\(run)/metrics.jsonl", encoding: .utf8)
            try writeRun(run, records(7))
            let longer = try String(contentsOfFile: "\(run)/metrics.jsonl", encoding: .utf8)
            let handle = try #require(FileHandle(forWritingAtPath: "\(run)/metrics.jsonl"))
            try handle.truncate(atOffset: UInt64(whole.utf8.count + 20))
            try watch.refresh()
            #expect(view(watch)[1].contains("step 5 "))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data(longer.utf8.dropFirst(whole.utf8.count + 20)))
            try watch.refresh()
            #expect(view(watch)[1].contains("step 7 "))
            try handle.truncate(atOffset: UInt64(whole.utf8.prefix { $0 != UInt8(ascii: "\n") }.count + 1))
            try watch.refresh()
            #expect(view(watch)[1].contains("step 1 "))
        }
    }

    @Test("a run is finished, trained or silent") func states() throws {
        try inScratchFolder { folder in
            let run = "\(folder)/run"
            try writeRun(run, records(10))
            try writeConfiguration(run, "train: {steps: 10}")
            #expect(try Watch(run).isFinished(now: Date()) && view(try Watch(run))[0].contains("finished"))
            try writeConfiguration(run, "train: {tokens: 1001}")
            let watch = try Watch(run)
            #expect(!watch.isFinished(now: Date()) && view(watch)[1].contains("step 10/11"))
            #expect(view(watch)[0].contains("no sign of life for"))
            try "{}".write(toFile: "\(run)/lock", atomically: true, encoding: .utf8)
            #expect(view(watch)[0].contains("training"))
            let size = TerminalSize(columns: 80, rows: 24, hasUnicode: true)
            let later = watch.lines(size, now: Date() + 3700, colored: false)
            #expect(later[0].contains("no sign of life for 1h01m"))
        }
    }

    @Test("a study has a line for each row, those that train first") func study() throws {
        try inScratchFolder { folder in
            for place in ["configs", "queue/b", "queue/c"] {
                try FileManager.default.createDirectory(
                    atPath: "\(folder)/\(place)", withIntermediateDirectories: true)
            }
            for row in ["a", "b", "c", "d"] {
                try "".write(toFile: "\(folder)/configs/\(row).yaml", atomically: true, encoding: .utf8)
            }
            try "{\"results\":[]}".write(toFile: "\(folder)/queue/b/done.json", atomically: true, encoding: .utf8)
            try "{\"results\":[],\"divergence\":\"at step 3\"}".write(
                toFile: "\(folder)/queue/c/done.json", atomically: true, encoding: .utf8)
            try writeRun("\(folder)/runs/d", records(5))
            try writeConfiguration("\(folder)/runs/d", "train: {steps: 20}")
            try "{}".write(toFile: "\(folder)/runs/d/lock", atomically: true, encoding: .utf8)
            let lines = view(try Watch(folder), columns: 120)
            #expect(lines[0].contains("4 rows so far: 1 done, 1 training, 1 diverged"))
            #expect(lines.dropFirst().map(\.first) == ["d", "a", "c", "b"])
            #expect(lines[1].contains("25 %") && lines[3].contains("diverged"))
        }
    }

    @Test("names from outside cannot command the terminal") func names() throws {
        try inScratchFolder { folder in
            try writeRun("\(folder)/a\u{1B}[2Jb", records(2) { $0.host = $0.step == 2 ? "x\u{7}" : "y" })
            let text = view(try Watch("\(folder)/a\u{1B}[2Jb")).joined()
            #expect(!text.utf8.contains(0x1B) && !text.utf8.contains(7))
        }
    }
}
