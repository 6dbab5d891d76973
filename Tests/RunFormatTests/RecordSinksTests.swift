import Diagnostics
import Foundation
import RunFormat
import Synchronization
import Testing

@Suite("Record sinks") struct RecordSinksTests {
    /// Keeps the steps of its records, and fails when the test asks.
    private final class StubSink: RecordSink {
        let name: String
        var isFull = false
        private(set) var resumedAfter: Int?
        private(set) var written: [Int] = []
        private var waiting: [Int] = []

        init(_ name: String) { self.name = name }

        func resume(after step: Int) throws(Failure) {
            if isFull { throw Failure(.cannotCreate, "\(name) cannot be written") }
            resumedAfter = step
        }

        func append(_ record: StepRecord) throws(Failure) {
            waiting.append(record.step)
            try flush()
        }

        func flush() throws(Failure) {
            if isFull, !waiting.isEmpty { throw Failure(.inputOutput, "\(name) is full") }
            written += waiting
            waiting = []
        }
    }

    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    private func record(_ step: Int) -> StepRecord {
        var record = StepRecord()
        (record.step, record.loss, record.seconds, record.tokensPerSecond) = (step, 1.5, 2, 12_345)
        return record
    }

    @Test("a sink that fails gets one warning for each row of failures, and the others get every record") func failing()
        throws
    {
        let sinks = [StubSink("first"), StubSink("second"), StubSink("third")], warnings = Lines()
        let all = try RecordSinks(sinks, resumingAfter: 3) { warnings.add($0) }
        #expect(sinks.map(\.resumedAfter) == [3, 3, 3])
        for step in 4...12 {
            sinks[0].isFull = (6...8).contains(step) || step == 10
            sinks[1].isFull = (7...9).contains(step)
            all.append(record(step))
            #expect(sinks[2].written == Array(4...step))
            #expect(sinks[0].written == (sinks[0].isFull ? Array(4...(step < 9 ? 5 : 9)) : Array(4...step)))
        }
        for sink in sinks { #expect(sink.written == Array(4...12), "\(sink.name) made up for everything") }
        let text = "warning: records wait in memory, training goes on: "
        #expect(warnings.all == [text + "first is full", text + "second is full", text + "first is full"])
    }

    @Test("what waits is written by a flush, and a flush that fails is one warning, too") func flush() throws {
        let sinks = [StubSink("first"), StubSink("second")], warnings = Lines()
        let all = try RecordSinks(sinks, resumingAfter: 0) { warnings.add($0) }
        sinks[0].isFull = true
        all.append(record(1))
        all.flush()
        #expect(sinks.map(\.written) == [[], [1]])
        sinks[0].isFull = false
        all.flush()
        #expect(sinks.map(\.written) == [[1], [1]])
        #expect(warnings.all.count == 1)
    }

    @Test("a sink that cannot be prepared is an error before the first record") func unprepared() {
        let sink = StubSink("first")
        sink.isFull = true
        let failure = #expect(throws: Failure.self) { try RecordSinks([sink], resumingAfter: 0) { _ in } }
        #expect(failure?.status == .cannotCreate)
    }

    @Test("JSON lines go on after the step from which training goes on") func resumedLines() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "records-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        func kept() throws -> [Int] {
            try Data(contentsOf: URL(filePath: path)).split(separator: UInt8(ascii: "\n"))
                .map { try JSONDecoder().decode(StepRecord.self, from: $0).step }
        }
        for (start, steps) in [(0, 1...5), (3, 4...6), (6, 7...7), (0, 1...2)] {
            let sink = try JSONLinesSink(path)
            try sink.resume(after: start)
            for step in steps { try sink.append(record(step)) }
            #expect(try Data(contentsOf: URL(filePath: path)).count == sink.bytes)
            #expect(try kept() == Array(1...steps.upperBound))
        }
    }

    @Test("progress goes on after the step from which training goes on, and its last line stays") func resumedProgress()
    {
        let shown = Lines()
        let sink = ProgressSink(on: ProgressDisplay(isTerminal: true) { shown.add($0) }, lastStep: 9, elapsed: { 130 })
        sink.resume(after: 7)
        sink.append(record(8))
        sink.append(record(9))
        let figures = "loss  1.5000  norm  0.00   12,345 tokens/s  MFU  0.0 %  dropped  0.0 %  elapsed  2m10s"
        #expect(shown.all == ["\rstep 8/9  \(figures)  ETA     2s", "\rstep 9/9  \(figures)  ETA     0s\n"])
    }

    @Test("a quiet display shows what is said, and no progress, not even the last line") func quiet() {
        let shown = Lines()
        let display = ProgressDisplay(isTerminal: false, isQuiet: true) { shown.add($0) }
        let sink = ProgressSink(on: display, lastStep: 9)
        for step in 8...9 { sink.append(record(step)) }
        display.show("half", important: true)
        display.log("checkpoint written")
        #expect(shown.all == ["checkpoint written\n"])
    }

    @Test(
        "a line that is rewritten fits into the terminal's row, without what is missed least",
        arguments: [
            (
                130,
                "step 8/9  loss  1.5000  norm  0.00   12,345 tokens/s  MFU 120.0 % (doubtful)  dropped  0.0 %  "
                    + "elapsed  2m10s  ETA     2s"
            ),
            (100, "step 8/9  loss 1.5000  norm 0.00  12,345 tokens/s  MFU 120.0 % (doubtful)  dropped 0.0 %  ETA 2s"),
            (80, "step 8/9  loss 1.5000  12,345 tokens/s  MFU 120.0 % (doubtful)  ETA 2s"),
            (60, "step 8/9  loss 1.5000  12,345 tokens/s  ETA 2s"), (40, "step 8/9  loss 1.5000  ETA 2s"),
            (12, "step 8/9  l"),
        ])
    func narrowTerminal(columns: Int, expected: String) {
        let shown = Lines()
        let display = ProgressDisplay(isTerminal: true, columns: { columns }) { shown.add($0) }
        let sink = ProgressSink(on: display, lastStep: 9, elapsed: { 130 })
        var record = record(8)
        (record.mfu, record.mfuIsDoubtful) = (1.2, true)
        sink.append(record)
        #expect(shown.all == ["\r" + expected])
        display.log(String(repeating: "x", count: 200))
        #expect(shown.all.last == "\r" + String(repeating: "x", count: 200) + "\n", "what stays is whole")
    }
}
