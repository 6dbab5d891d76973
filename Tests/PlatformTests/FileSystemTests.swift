import Diagnostics
import Foundation
import Platform
import Testing

@Suite("Files and directories") struct FileSystemTests {
    private func inScratchFolder(_ body: (String) throws -> Void) throws {
        let folder = try makeUniqueDirectory(in: "/tmp", prefix: "file-system-")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func put(_ text: String, _ path: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }
    private func exists(_ path: String) -> Bool { FileIdentity(path, followingLink: false) != nil }
    private func link(_ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    }

    @Test("removing a tree removes links, and nothing that they lead to") func removal() throws {
        try inScratchFolder { folder in
            try FileManager.default.createDirectory(atPath: folder + "/tree/a/b", withIntermediateDirectories: true)
            try FileManager.default.createDirectory(atPath: folder + "/precious", withIntermediateDirectories: true)
            try put("x", folder + "/precious/file")
            try put("y", folder + "/tree/a/b/file")
            try link(folder + "/tree/a/outside", to: folder + "/precious")
            try link(folder + "/tree/a/file", to: folder + "/precious/file")
            try link(folder + "/tree/a/b/up", to: "../../..")
            try link(folder + "/link", to: folder + "/precious")
            try removeTree(folder + "/tree")
            try removeTree(folder + "/link")
            try removeTree(folder + "/nothing")
            #expect(!exists(folder + "/tree") && !exists(folder + "/link") && exists(folder + "/precious/file"))
            let outside = try OpenDirectory(folder + "/precious")
            for name in ["..", ".", "", "../precious", "a/b"] {
                #expect(throws: Failure.self, "\(name)") { try outside.remove(name) }
            }
            #expect(exists(folder + "/precious/file"))
        }
    }

    @Test("pipes, directories and devices are refused at once where a file is expected") func regular() throws {
        try inScratchFolder { folder in
            unsafe mkfifo(folder + "/pipe", 0o600)
            try put("text", folder + "/file")
            try link(folder + "/link", to: folder + "/file")
            try link(folder + "/pipe-link", to: folder + "/pipe")
            for path in [folder + "/pipe", folder + "/pipe-link", folder, "/dev/zero"] {
                let failure = #expect(throws: Failure.self) { try RegularFile(path) }
                #expect(failure?.message.contains("not a regular file") ?? false)
            }
            #expect(try RegularFile(folder + "/link").contents(limit: 10) == Array("text".utf8))
            #expect(throws: Failure.self) { try RegularFile(folder + "/link").contents(limit: 3) }
            let directory = try OpenDirectory(folder)
            #expect(try RegularFile("file", in: directory).contents(limit: 4) == Array("text".utf8))
            for name in ["link", "pipe", "pipe-link"] {
                #expect(throws: Failure.self, "\(name)") { try RegularFile(name, in: directory) }
            }
        }
    }

    @Test("a directory is found again after it was renamed, and is told from the one in its place") func identity()
        throws
    {
        try inScratchFolder { folder in
            try FileManager.default.createDirectory(atPath: folder + "/a", withIntermediateDirectories: true)
            try put("old", folder + "/a/file")
            let directory = try OpenDirectory(folder + "/a")
            #expect(directory.isInPlace)
            try FileManager.default.moveItem(atPath: folder + "/a", toPath: folder + "/b")
            #expect(!directory.isInPlace)
            try FileManager.default.createDirectory(atPath: folder + "/a", withIntermediateDirectories: true)
            try put("new", folder + "/a/file")
            #expect(!directory.isInPlace)
            #expect(try RegularFile("file", in: directory).contents(limit: 9) == Array("old".utf8))
        }
    }

    @Test("a private directory is this user's alone, or none") func privateDirectories() throws {
        try inScratchFolder { folder in
            let directory = try #require(privateDirectory("mine", in: folder))
            try directory.create("note", [1])
            #expect(throws: Failure.self) { try directory.create("note", [2]) }
            #expect(privateDirectory("mine", in: folder) != nil)
            unsafe chmod(folder + "/mine", 0o770)
            #expect(privateDirectory("mine", in: folder) == nil)
            try link(folder + "/link", to: "/root")
            #expect(privateDirectory("link", in: folder) == nil)
        }
    }

    @Test("trying whether a folder can be written touches nothing that is there") func probe() throws {
        try inScratchFolder { folder in
            try put("precious", folder + "/precious")
            try link(folder + "/.write-test", to: folder + "/precious")
            #expect(canCreateFiles(in: folder))
            #expect(!canCreateFiles(in: folder + "/nothing"))
            #expect(try String(contentsOfFile: folder + "/precious", encoding: .utf8) == "precious")
            #expect(exists(folder + "/.write-test"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 2)
        }
    }

    @Test("staging removes what ended processes left of the same target, and nothing else") func staging() throws {
        try inScratchFolder { folder in
            let others = [
                ".staging-model-0123456789abcdeX", ".staging-model-0123", ".staging-other-0123456789abcdef",
                ".staging-model",
            ]
            for name in others + [".staging-model-0123456789abcdef"] {
                try FileManager.default.createDirectory(
                    atPath: "\(folder)/\(name)/x", withIntermediateDirectories: true)
            }
            let first = try StagingDirectory(for: folder + "/model/")
            let second = try StagingDirectory(for: folder + "/model")
            #expect(exists(first.path) && exists(second.path), "a living process keeps its own")
            #expect(others.allSatisfy { exists("\(folder)/\($0)") })
            #expect(!exists(folder + "/.staging-model-0123456789abcdef"))
            try put("x", second.path + "/file")
            try second.publish()
            #expect(throws: Failure.self) { try first.publish() }
            first.discard()
            #expect(!exists(first.path) && exists(folder + "/model/file"))
            #expect(throws: Failure.self) { try StagingDirectory(for: folder + "/model") }
        }
    }

    @Test(
        "characters that terminals obey are escaped, and no others",
        arguments: [
            ("\u{1B}[2Jgone", "\\u{1B}[2Jgone"), ("a\nb\tc", "a\\u{A}b\\u{9}c"), ("x\u{9B}31m", "x\\u{9B}31m"),
            ("evil\u{202E}txt.exe", "evil\\u{202E}txt.exe"), ("a\r\nb", "a\\u{D}\\u{A}b"),
            ("Größe, 学习, 👩‍💻, e\u{301}", "Größe, 学习, 👩‍💻, e\u{301}"), ("", ""),
        ])
    func escapes(text: String, shown: String) {
        #expect(visible(text) == shown)
        let failure = Failure(.data, "\(text)\n  next", advice: text)
        for message in [failure.message, failure.advice ?? ""] {
            #expect(!message.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" && $0 != "\t" })
        }
    }
}
