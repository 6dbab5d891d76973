import Diagnostics
import Foundation
import RunFormat
import TestSupport
import Testing

@Suite("Records as a table") struct CSVSinkTests {
    private func record(_ step: Int, layers: Int = 2) -> StepRecord {
        var record = StepRecord()
        (record.step, record.tokens, record.loss, record.host) = (step, 100 * step, 1.0 / Double(step + 1), "a,\"b\"")
        record.droppedRatioByLayer = (0..<layers).map { Double($0) / 4 }
        return record
    }

    private func withTable(_ body: (String) throws -> Void) throws {
        try inScratchFolder { try body("\($0)/metrics.csv") }
    }

    private func rows(_ path: String) throws -> [[String: String]] {
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { cells(String($0)) }
        return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(lines[0], $0)) }
    }

    /// Cells as RFC 4180 quotes them: between quotes commas are text, and two quotes are one.
    private func cells(_ line: String) -> [String] {
        var cells = [""], rest = Substring(line)
        while let character = rest.popFirst() {
            guard character == "\"" else {
                if character == "," { cells.append("") } else { cells[cells.count - 1].append(character) }
                continue
            }
            while let quoted = rest.popFirst() {
                if quoted == "\"" {
                    guard rest.first == "\"" else { break }
                    rest.removeFirst()
                }
                cells[cells.count - 1].append(quoted)
            }
        }
        return cells
    }

    @Test("a source without tokens in a step has an empty cell") func sources() throws {
        try withTable { path in
            let sink = try CSVSink(path)
            try sink.resume(after: 0)
            var first = record(1), second = record(2)
            (first.tokensBySource, first.lossBySource) = ([100, 0], [1.5, nil])
            (second.tokensBySource, second.lossBySource) = ([100, 100], [nil, 2.5])
            for record in [first, second] { try sink.append(record) }
            let rows = try rows(path)
            #expect(rows.map { $0["loss_by_source.0"] } == ["1.5", ""])
            #expect(rows.map { $0["loss_by_source.1"] } == ["", "2.5"])
            #expect(rows.map { $0["tokens_by_source.1"] } == ["0", "100"])
        }
    }

    @Test("a row has the record's fields under their names, a list one for each layer") func fields() throws {
        try withTable { path in
            let sink = try CSVSink(path)
            try sink.resume(after: 0)
            var second = record(2)
            (second.validationLoss, second.loss, second.skipped) = (2.5, .nan, true)
            try sink.append(record(1))
            try sink.append(second)
            let rows = try rows(path)
            #expect(rows.map { $0["step"] } == ["1", "2"])
            #expect(rows.map { $0["tokens"] } == ["100", "200"])
            #expect(rows.map { $0["loss"] } == ["0.5", "nan"])
            #expect(rows.map { $0["validation_loss"] } == ["", "2.5"])
            #expect(rows.map { $0["skipped"] } == ["", "true"])
            #expect(rows.map { $0["dropped_ratio_by_layer.1"] } == ["0.25", "0.25"])
            #expect(rows[0]["dropped_ratio_by_layer.2"] == nil)
            #expect(rows[0]["host"] == "a,\"b\"")
        }
    }

    @Test("a run that goes on removes the rows of later steps", arguments: [0, 1, 3, 9]) func resumed(last: Int) throws
    {
        try withTable { path in
            let whole = try CSVSink(path)
            try whole.resume(after: 0)
            for step in 1...5 { try whole.append(record(step)) }
            let sink = try CSVSink(path)
            try sink.resume(after: last)
            for step in (last + 1)..<(last + 3) { try sink.append(record(step)) }
            let expected = Array(1...max(1, min(last, 5))).filter { $0 <= last } + [last + 1, last + 2]
            #expect(try rows(path).map { $0["step"] } == expected.map(String.init))
        }
    }

    @Test("columns stay those of the file's first line") func otherColumns() throws {
        try withTable { path in
            try Data("step,loss,z_loss\n1,0.5,7\n".utf8).write(to: URL(filePath: path))
            let sink = try CSVSink(path)
            try sink.resume(after: 1)
            try sink.append(record(2, layers: 3))
            #expect(try String(contentsOfFile: path, encoding: .utf8).hasPrefix("step,loss,z_loss\n1,0.5,7\n2,0.333"))
            #expect(try rows(path)[1]["z_loss"] == "0")
        }
    }

    @Test("a first line without an end is no header") func brokenHeader() throws {
        try withTable { path in
            try Data("step,lo".utf8).write(to: URL(filePath: path))
            let sink = try CSVSink(path)
            try sink.resume(after: 0)
            try sink.append(record(1))
            #expect(try rows(path)[0]["loss"] == "0.5")
        }
    }

    @Test(
        "a file that is no table of records is refused and stays",
        arguments: [
            "name,age\na,1\n", "my notes, without an end", "step,own\n1,2\n500,7\n", "step", "\n", "loss,step\n",
        ])
    func foreign(text: String) throws {
        try withTable { path in
            try Data(text.utf8).write(to: URL(filePath: path))
            let failure = #expect(throws: Failure.self) { try CSVSink(path) }
            #expect(failure?.status == .cannotCreate)
            #expect("\(failure!)".contains("is no table of records: it has a column"))
            #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
        }
    }
}
