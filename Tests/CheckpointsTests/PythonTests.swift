import TestSupport
import Checkpoints
import Foundation
import Platform
import RankChecks
import Testing

/// The format as another program reads and writes it, from its specification alone.
@Suite("Checkpoints in Python", .enabled(if: Python.hasLibraries, "needs python3 with h5py and numpy"))
struct PythonTests {
    @Test("Python verifies and shows what ranks wrote, also where the directory was moved to") func reading() throws {
        try inScratchFolder { folder in
            let moved = folder + "/moved"
            try FileManager.default.moveItem(
                atPath: write(step: 4, to: folder, ranks: 3, shards: 2, axis: 1), toPath: moved)
            let (code, output) = try Python.run(["show", moved])
            #expect(code == 0, "\(output)")
            #expect(output.contains("step 4 config 'seed: 7\\nrun:\\n  directory: \"x\"\\n'"), "\(output)")
            for (name, shape) in TestState(step: 4).shapes {
                #expect(output.contains(([name] + shape.map(String.init)).joined(separator: " ") + " "), "\(output)")
            }
        }
    }

    @Test("what Python writes is read, to the last bit and word", arguments: [1, 3]) func writing(shards: Int) throws {
        try inScratchFolder { folder in
            let source = try write(step: 4, to: folder), copy = folder + "/copy"
            let (code, output) = try Python.run(["copy", source, copy, String(shards)])
            #expect(code == 0, "\(output)")
            #expect(try TestState(step: 4).differences(from: CheckpointReader(copy)) == [])
            #expect(try Verification(copy).findings() == [])
        }
    }

    @Test("Python refuses damage") func damage() throws {
        try inScratchFolder { folder in
            let directory = try write(step: 4, to: folder)
            let shard = try #require(names(in: directory).last)
            var damaged = try bytes("\(directory)/\(shard)")
            damaged[damaged.count / 2] ^= 1
            try put(damaged, "\(directory)/\(shard)")
            let (code, output) = try Python.run(["show", directory])
            #expect(code == 1 && output.contains(shard), "\(output)")
        }
    }
}

/// The interpreter named by SWITCHYARD_PYTHON, or `python3`.
private enum Python {
    static let program = ProcessInfo.processInfo.environment["SWITCHYARD_PYTHON"] ?? "python3"
    static let hasLibraries = (try? execute(["-c", "import h5py, numpy"]).code) == 0

    static func run(_ arguments: [String]) throws -> (code: Int32, output: String) {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../scripts/checkpoint.py")
        return try execute([root.standardized.path()] + arguments)
    }

    private static func execute(_ arguments: [String]) throws -> (code: Int32, output: String) {
        let process = Process(), pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
