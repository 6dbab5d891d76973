import TestSupport
import CHDF5
import Checkpoints
import Diagnostics
import Foundation
import HDF5
import Platform
import RankChecks
import Tensors
import Testing

/// Checkpoints made to do harm: their manifests are right, what the files say is not.
@Suite("Checkpoints from elsewhere") struct HostileTests {
    /// What a checkpoint says after `change`, resealed; nil if it is refused.
    private func reading(_ change: (String) throws -> Void) throws -> (differences: [String]?, refusal: String?) {
        var answer: (differences: [String]?, refusal: String?) = (nil, nil)
        try inScratchFolder { folder in
            let directory = try write(step: 7, to: folder, ranks: 2, shards: 2)
            try change(directory)
            try reseal(directory)
            do {
                answer.differences = try TestState(step: 7).differences(from: CheckpointReader(directory))
            } catch let failure as Failure {
                answer.refusal = failure.message
            }
        }
        return answer
    }

    private func shard(_ directory: String) throws -> String {
        directory + "/" + (try #require(names(in: directory).last { $0.hasSuffix(".h5") && $0 != "index.h5" }))
    }

    @Test("whatever a shard says about where its numbers are, those that were hashed are read") func shardMetadata()
        throws
    {
        let answer = try reading { directory in
            let path = try shard(directory)
            var bytes = try bytes(path)
            // Everything before the first numbers is what HDF5 would believe.
            let manifest = try Verification.manifest(of: directory)
            let file = try #require(manifest.files.firstIndex { path.hasSuffix($0.name) })
            let first = try #require(
                manifest.tensors.flatMap(\.pieces).filter { $0.file == file }.map(\.byteOffset).min())
            for index in 0..<first { bytes[index] = 0xA5 }
            try put(bytes, path)
        }
        #expect(answer.differences == [])
    }

    @Test(
        "an index whose texts lie elsewhere, or are larger than the file, is refused",
        arguments: ["external", "soft", "virtual", "huge", "many", "storage"])
    func index(kind: String) throws {
        let answer = try reading { directory in try rewriteIndex(directory + "/index.h5", kind) }
        let refusal = try #require(answer.refusal)
        #expect(refusal.contains("index.h5") && refusal.contains("run/config"), "\(refusal)")
        #expect(
            refusal.contains("link to elsewhere") || refusal.contains("not one text that lies in the file"),
            "\(refusal)")
    }

    /// Replaces `run/config` of the index.
    private func rewriteIndex(_ path: String, _ kind: String) throws {
        let target = path + ".target"
        defer { try? FileManager.default.removeItem(atPath: target) }
        let other = try HDF5File.create(target), otherRoot = try other.root()
        try otherRoot.writeText("seed: 666", to: "text")
        try otherRoot.close()
        try other.close()
        try withHDF5Alone { replaceConfiguration(of: path, kind, target) }
    }

    private func replaceConfiguration(of path: String, _ kind: String, _ target: String) {
        let file = unsafe H5Fopen(path, shim_read_write(), shim_default())
        defer { H5Fclose(file) }
        unsafe #expect(H5Ldelete(file, "run/config", shim_default()) >= 0)
        let type = H5Tcopy(shim_string()), creation = H5Pcreate(shim_dataset_create())
        H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER)
        H5Tset_size(type, kind == "huge" ? 4_000_000_000 : 16)
        var extent: [hsize_t] = [kind == "many" ? 1_000_000_000 : 1]
        let space = unsafe H5Screate_simple(1, &extent, nil)
        switch kind {
        case "external":
            unsafe #expect(H5Lcreate_external(target, "text", file, "run/config", shim_default(), shim_default()) >= 0)
        case "soft":
            unsafe #expect(H5Lcreate_soft("/run/tokenizer", file, "run/config", shim_default(), shim_default()) >= 0)
        case "virtual": unsafe H5Pset_virtual(creation, space, target, "text", space)
        case "storage": unsafe H5Pset_external(creation, "/etc/passwd", 0, 16)
        default: break
        }
        if kind != "external", kind != "soft" {
            let dataset = unsafe H5Dcreate2(file, "run/config", type, space, shim_default(), creation, shim_default())
            #expect(dataset >= 0)
            H5Dclose(dataset)
        }
        H5Sclose(space)
        H5Pclose(creation)
        H5Tclose(type)
    }

    @Test("tensors take no more room than the files they are in") func overlappingPieces() throws {
        try inScratchFolder { folder in
            let directory = try write(step: 7, to: folder, ranks: 1, shards: 1)
            try reseal(directory) { lines in
                let piece = try #require(lines.firstIndex { $0.hasPrefix("piece ") && $0.contains(" 37,8 ") })
                lines.append("tensor float32 8,4 0123456789abcdef copy")
                let byte = lines[piece].split(separator: " ")[2]
                lines.append("piece 0 \(byte) 0,0 8,4 copy")
            }
            let failure = #expect(throws: Failure.self) { try CheckpointReader(directory) }
            let message = failure?.message ?? "nothing"
            #expect(message.contains("lie over each other"), "\(message)")
        }
    }

    /// Damages a line of a manifest.
    private static func change(_ lines: inout [String], _ roll: (Int) -> Int) {
        let line = roll(lines.count)
        switch roll(5) {
        case 0: lines.remove(at: line)
        case 1: lines.insert(lines[roll(lines.count)], at: line)
        case 2: lines.swapAt(line, roll(lines.count))
        case 3:
            var text = Array(lines[line].utf8)
            text[roll(text.count)] = UInt8(0x20 + roll(0x5F))
            lines[line] = String(decoding: text, as: UTF8.self)
        default:
            let numbers = ["0", "1", "4", "9007199254740992", "18446744073709551616", "-1", "1,1", ""]
            var words = lines[line].split(separator: " ").map(String.init)
            words[roll(words.count)] = numbers[roll(numbers.count)]
            lines[line] = words.joined(separator: " ")
        }
    }

    /// In-process, because nothing of a manifest is handed to a library; `Tests/long/fuzz.sh` mutates all other files.
    @Test("400 mutations of a manifest with a right last line are refused, or describe tensors within their files")
    func manifests() throws {
        try inScratchFolder { folder in
            let directory = try write(step: 7, to: folder, ranks: 3, shards: 2, axis: 1)
            let original = try bytes(directory + "/manifest")
            let sizes = try Verification.manifest(of: directory).bytesOfFiles
            var seed: UInt64 = 11, refused = 0
            func roll(_ sides: Int) -> Int {
                seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int((seed >> 33) % UInt64(sides))
            }
            for round in 0..<400 {
                try put(original, directory + "/manifest")
                try reseal(directory) { lines in
                    for _ in 0...roll(2) { Self.change(&lines, roll) }
                }
                do {
                    let reader = try CheckpointReader(directory)
                    let elements = reader.tensors.reduce(0) { $0 + $1.count }
                    #expect(4 * elements <= sizes, "round \(round)")
                    for tensor in reader.tensors { #expect(try reader.read(tensor.name).count == tensor.count) }
                } catch let failure as Failure {
                    #expect(failure.status == .data && failure.message.utf8.count < 4000, "\(failure.message)")
                    refused += 1
                }
            }
            #expect(refused > 200 && refused < 400, "\(refused)")
        }
    }

    /// The lines of a manifest with many pieces of one tensor, or many files and tensors.
    private func manifest(of count: Int, isOneTensor: Bool) -> [String] {
        let hash = String(repeating: "a", count: 64), head = ["switchyard checkpoint 1", "step 7"]
        guard !isOneTensor else {
            let pieces = (0..<count).map { "piece 0 \(16 * $0) \($0 / 300),\($0 % 300 * 4) 1,4 p" }
            let tensor = "tensor float32 \(count / 300),1200 0123456789abcdef t"
            return head + ["file \(16 * count) \(hash) f", tensor] + pieces
        }
        let tensors = (0..<count).flatMap { ["tensor float32 4 0123456789abcdef t\($0)", "piece \($0) 0 0 4 t\($0)"] }
        return head + (0..<count).map { "file 16 \(hash) f\($0)" } + tensors
    }

    /// Seconds that this thread computes.
    private func seconds(_ body: () throws -> Void) rethrows -> Double {
        func now() -> Double {
            var time = timespec()
            unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
        let start = now()
        try body()
        return now() - start
    }

    @Test("ten times as many pieces, files or tensors take about ten times as long", arguments: [true, false])
    func manyPieces(isOneTensor: Bool) throws {
        try inScratchFolder { folder in
            let times = try [6000, 60_000].map { count in
                try put(Array(repeating: 0x78, count: 73), folder + "/manifest")
                try reseal(folder) { $0 = manifest(of: count, isOneTensor: isOneTensor) }
                return try seconds {
                    let findings = try Verification(folder).findings()
                    #expect(!findings.isEmpty)
                }
            }
            #expect(times[1] < 40 * times[0], "\(times): where pairs are compared it is a hundred times")
        }
    }

    @Test("what systems and file managers leave is nobody's surplus; other files are named as what they are")
    func surplus() throws {
        try inScratchFolder { folder in
            let directory = try write(step: 7, to: folder)
            for name in [".DS_Store", "Thumbs.db", ".nfs000000000123", "desktop.ini", "._manifest", ".fuse_hidden01"] {
                try put([1], "\(directory)/\(name)")
            }
            #expect(try TestState(step: 7).differences(from: CheckpointReader(directory)) == [])
            try put([1], directory + "/notes\u{1B}[2J.txt")
            let verification = try Verification(directory)
            #expect(verification.findings() == [] && verification.surplus() == ["notes\\u{1B}[2J.txt"])
            let reader = try CheckpointReader(directory)
            #expect(try TestState(step: 7).differences(from: reader) == [], "what is verified is read all the same")
            let warning = try #require(reader.surplusWarning)
            #expect(warning.hasSuffix("does not belong to the checkpoint and is not read: notes\\u{1B}[2J.txt"))
        }
    }

    @Test("a checkpoint that is removed or replaced while it is read stays what it was") func removedMeanwhile() throws
    {
        try inScratchFolder { folder in
            let directory = try write(step: 7, to: folder), state = TestState(step: 7)
            let reader = try CheckpointReader(directory)
            let moved = folder + "/moved"
            try FileManager.default.moveItem(atPath: directory, toPath: moved)
            try FileManager.default.copyItem(atPath: write(step: 8, to: folder), toPath: directory)
            #expect(try state.differences(from: reader) == [])
            try FileManager.default.removeItem(atPath: moved)
            #expect(try state.differences(from: reader) == [])
        }
    }
}
