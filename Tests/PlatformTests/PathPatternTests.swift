import Diagnostics
import Foundation
import Platform
import Testing

@Suite struct PathPatternTests {
    /// A folder with files of these names, for the time of `body`.
    private func withFiles(_ names: [String], _ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "pattern-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in names {
            let file = URL(fileURLWithPath: "\(folder)/\(name)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data().write(to: file)
        }
        try body(folder)
    }

    @Test(
        "a pattern stands for what it matches, in the order of bytes",
        arguments: [
            ("*.txt", ["B.txt", "a.txt", "b.txt", "é.txt"]), ("?.txt", ["B.txt", "a.txt", "b.txt"]),
            ("??.txt", ["é.txt"]),
            ("[ab].txt", ["a.txt", "b.txt"]), ("*", ["B.txt", "a.txt", "b.txt", "c[1].md", "s", "t", "é.txt"]),
            ("*/x*", ["s/x.txt", "t/x.txt", "t/xy.txt"]), ("c[1].md", ["c[1].md"]), ("c?1?.md", ["c[1].md"]),
            (".*d*", [".hidden.txt"]), ("b.txt", ["b.txt"]), ("s", ["s"]), ("nothing", ["nothing"]),
        ])
    func matches(_ pattern: String, _ expected: [String]) throws {
        let names = [
            "b.txt", "a.txt", "B.txt", "é.txt", ".hidden.txt", "c[1].md", "t/xy.txt", "t/x.txt", "s/x.txt", "s/.x",
        ]
        try withFiles(names) { folder in
            let found = try matchingPaths("\(folder)/\(pattern)")
            #expect(found == expected.map { "\(folder)/\($0)" })
        }
    }

    @Test("a pattern that nothing matches is refused", arguments: ["*.parquet", "t/*", "[z]", "*/*/*", "nowhere/*/x"])
    func noMatch(_ pattern: String) throws {
        try withFiles(["a.txt"]) { folder in
            let refusal = #expect(throws: Failure.self) { try matchingPaths("\(folder)/\(pattern)") }
            #expect(refusal?.status == .noInput && refusal?.message == "no file matches `\(folder)/\(pattern)`")
        }
    }

    @Test func aNameThatIsNotUTF8IsRefused() throws {
        try withFiles(["a.txt"]) { folder in
            let odd = (Array("\(folder)/".utf8) + [0xFF, 0x2E, 0x74, 0]).map { CChar(bitPattern: $0) }
            let file = try unsafe #require(fopen(odd, "w"))
            unsafe fclose(file)
            let refusal = #expect(throws: Failure.self) { try matchingPaths("\(folder)/*") }
            #expect(refusal?.status == .data)
            #expect(try matchingPaths("\(folder)/a*") == ["\(folder)/a.txt"])
        }
    }

    @Test func aLinkToNothingHidesNothing() throws {
        try withFiles(["s/x.txt"]) { folder in
            for target in ["nowhere", "lost"] {
                try FileManager.default.createSymbolicLink(atPath: "\(folder)/lost", withDestinationPath: target)
                let found = try matchingPaths("\(folder)/*/x.*")
                #expect(found == ["\(folder)/s/x.txt"])
                try FileManager.default.removeItem(atPath: "\(folder)/lost")
            }
        }
    }

    @Test("a folder that cannot be listed is not passed over", .enabled(if: geteuid() != 0)) func closedFolders() throws
    {
        try withFiles(["s/x.txt", "t/x.txt"]) { folder in
            unsafe chmod("\(folder)/s", 0)
            defer { unsafe chmod("\(folder)/s", 0o700) }
            let refusal = #expect(throws: Failure.self) { try matchingPaths("\(folder)/*/x.*") }
            #expect(refusal?.message.hasPrefix("cannot list what matches") == true)
        }
    }

    @Test func severalPatternsFollowEachOther() throws {
        try withFiles(["a.txt", "b.md", "c.txt"]) { folder in
            let found = try matchingPaths(["\(folder)/*.txt", "\(folder)/b.md", "\(folder)/a*"])
            #expect(found == ["a.txt", "c.txt", "b.md", "a.txt"].map { "\(folder)/\($0)" })
        }
    }
}
