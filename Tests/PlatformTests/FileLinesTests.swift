import Diagnostics
import Foundation
import Platform
import Testing

@Suite("Lines of a file") struct FileLinesTests {
    private func lines(_ text: String, longest: Int = 1 << 20, sparse: Int = 0) throws -> [String] {
        let path = FileManager.default.temporaryDirectory.appending(path: "lines-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(text.utf8).write(to: URL(filePath: path))
        if sparse > 0 { unsafe truncate(path, sparse) }
        var lines = FileLines(try RegularFile(path), longest: longest), found: [String] = []
        while let line = try lines.next() {
            found.append(String(decoding: line.bytes, as: UTF8.self))
            #expect(line.number == found.count)
        }
        return found
    }

    @Test("come one after the other, whatever their lengths") func lengths() throws {
        #expect(try lines("") == [])
        #expect(try lines("\n") == [""])
        #expect(try lines("a\n\nb\r\nc") == ["a", "", "b\r", "c"])
        let sizes = [0, 1, 65_535, 65_536, 65_537, 3, 200_000, 0, 131_072]
        let texts = sizes.enumerated().map { String(repeating: "abcdefghi"[$0], count: $1) }
        let text = texts.joined(separator: "\n")
        #expect(try lines(text) == texts)
        #expect(try lines(text + "\n") == texts)
    }

    @Test("a line that is too long is refused without being read whole") func long() throws {
        // More than any memory.
        let failure = #expect(throws: Failure.self) { try lines("one\ntwo\n", sparse: 1 << 40) }
        #expect(
            failure?.status == .data && failure?.message.contains(":3: the line is longer than the 1048576") == true)
        #expect(try lines("abc\nabcd\n", longest: 4) == ["abc", "abcd"])
        #expect(throws: Failure.self) { try lines("abc\nabcde\n", longest: 4) }
        #expect(throws: Failure.self) { try lines("abc\nabcde", longest: 4) }
    }
}

extension String {
    fileprivate subscript(_ place: Int) -> Character { self[index(startIndex, offsetBy: place)] }
}
