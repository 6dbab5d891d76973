import Diagnostics
import Foundation
import Platform
import Testing

@Suite("Files that are written") struct WrittenFileTests {
    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "written-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: folder + "/inner", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func link(_ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    }

    @Test("an output that is a link is what the link leads to, also if that is not there yet") func links() throws {
        try inFolder { folder in
            try link(folder + "/relative", to: "inner/file")
            try link(folder + "/absolute", to: folder + "/inner/file")
            try link(folder + "/twice", to: "relative")
            try link(folder + "/inner/up", to: "../relative")
            for name in ["relative", "absolute", "twice", "inner/up"] {
                let path = try outputPath("\(folder)/\(name)")
                #expect(URL(filePath: path).standardizedFileURL.path() == "\(folder)/inner/file", "\(name): \(path)")
            }
            for path in [folder + "/plain", folder + "/nowhere/plain", "plain", folder] {
                #expect(try outputPath(path) == path)
            }
            try link(folder + "/a", to: "b")
            try link(folder + "/b", to: "a")
            #expect(throws: Failure.self) { try outputPath(folder + "/a") }
        }
    }

    @Test("a file is replaced whole and keeps its permissions; a link or a pipe stays") func replaced() throws {
        try inFolder { folder in
            let path = folder + "/file"
            try replaceFile(path, with: Array("one".utf8))
            unsafe chmod(path, 0o640)
            try replaceFile(path, with: Array("two".utf8))
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "two")
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o640)
            try link(folder + "/link", to: path)
            unsafe mkfifo(folder + "/pipe", 0o600)
            for name in ["link", "pipe", "inner"] {
                let failure = #expect(throws: Failure.self) { try replaceFile("\(folder)/\(name)", with: [1]) }
                #expect(failure?.status == .cannotCreate && failure?.message.contains("not a regular file") == true)
            }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "two")
            #expect(throws: Failure.self) { try replaceFile(folder + "/nowhere/file", with: [1]) }
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == [
                    "file", "inner", "link", "pipe",
                ])
        }
    }
}
