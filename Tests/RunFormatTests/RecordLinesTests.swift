import Diagnostics
import Foundation
import RunFormat
import Testing
import Threading

@Suite("Records of a run that goes on") struct RecordLinesTests {
    private func record(_ step: Int, _ size: Int = 0) -> String {
        #"{"loss":1.5,"note":"\#(String(repeating: "x", count: size))","step":\#(step)}"#
    }

    /// What is left of `text` when training goes on from `step`.
    private func kept(_ text: String, through step: Int) throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "records-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(text.utf8).write(to: URL(filePath: path))
        let file = try JSONLinesSink(path)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text, "opening alone cuts nothing")
        try file.resume(after: step)
        let left = try String(contentsOfFile: path, encoding: .utf8)
        #expect(file.bytes == left.utf8.count)
        return left
    }

    private func lines(_ lines: String...) -> String { lines.map { $0 + "\n" }.joined() }

    @Test("records of later steps are cut off, and none is cut in half") func cut() throws {
        let all = (1...9).map { record($0, $0 * 7) }
        let text = all.map { $0 + "\n" }.joined()
        for step in 0...9 {
            #expect(try kept(text, through: step) == all.prefix(step).map { $0 + "\n" }.joined())
        }
        #expect(try kept("", through: 3) == "")
        #expect(try kept(text + #"{"loss":1.5,"st"#, through: 9) == text, "half a record at the end is none")
        #expect(try kept(#"{"loss":"#, through: 0) == "")
    }

    @Test("lines that somebody has put between records change nothing about which are kept") func foreign() throws {
        let start = lines("# my best run", record(1), "", record(2), "nonsense {", record(3))
        #expect(try kept(start + lines(record(4), record(5)), through: 3) == start)
        #expect(try kept(start + lines("# after", record(4)), through: 3) == start + "# after\n")
        #expect(try kept(lines("# header", record(1)), through: 0) == "# header\n")
        #expect(try kept(lines("# header", "[]", "{}"), through: 0) == lines("# header", "[]", "{}"))
    }

    @Test("lines longer than what is read at a time") func long() throws {
        let texts = [record(1, 100_000), record(2), record(3, 300_000), record(4, 65_536), record(5, 1)]
        let text = texts.map { $0 + "\n" }.joined()
        for step in 0...5 {
            #expect(try kept(text, through: step) == texts.prefix(step).map { $0 + "\n" }.joined())
        }
        let foreign = String(repeating: "y", count: 5 << 20)
        #expect(try kept(lines(record(1), foreign, record(2)), through: 1) == lines(record(1), foreign))
    }

    @Test("zeros at the end, as a crash of the machine leaves them, are cut off") func zeros() throws {
        let start = lines(record(1), record(2))
        #expect(try kept(start + String(repeating: "\0", count: 9 << 20), through: 2) == start)
        #expect(try kept(start + String(repeating: "\0", count: 9 << 20), through: 1) == lines(record(1)))
    }

    @Test("the last record says how far a run came") func last() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "records-\(UUID().uuidString)").path()
        #expect(try JSONLinesSink.lastStep(of: path) == nil)
        defer { try? FileManager.default.removeItem(atPath: path) }
        for (text, step) in [
            ("", nil), (lines("# none", "{}"), nil), (lines(record(1), record(2)) + #"{"step":3"#, 2),
            (lines(record(4, 200_000), "nonsense", String(repeating: "y", count: 5 << 20)), 4),
        ] {
            try Data(text.utf8).write(to: URL(filePath: path))
            #expect(try JSONLinesSink.lastStep(of: path) == step)
        }
    }

    @Test("a pipe, a link or a directory in the file's place is refused at once") func irregular() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "records-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let precious = folder + "/precious"
        try Data("precious".utf8).write(to: URL(filePath: precious))
        unsafe mkfifo(folder + "/pipe", 0o600)
        try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: precious)
        for path in [folder + "/pipe", folder + "/link", folder] {
            let failure = #expect(throws: Failure.self) { try JSONLinesSink(path) }
            #expect(failure?.status == .cannotCreate)
        }
        #expect(try String(contentsOfFile: precious, encoding: .utf8) == "precious")
    }
}
