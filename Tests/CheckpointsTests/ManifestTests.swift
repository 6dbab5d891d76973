import TestSupport
import Checkpoints
import Diagnostics
import Foundation
import Testing

@Suite("Manifest") struct ManifestTests {
    /// The complaint about a manifest with these lines and a right last line.
    private func complaint(_ lines: [String], in folder: String) throws -> String {
        let body = Array((lines.joined(separator: "\n") + "\n").utf8)
        try put(body + Array("sha256 \(SHA256.digest(of: body))\n".utf8), folder + "/manifest")
        do {
            _ = try Verification.manifest(of: folder)
            return ""
        } catch {
            return error.message
        }
    }

    private let good = [
        "switchyard checkpoint 1", "step 7", "file 1000 \(String(repeating: "a", count: 64)) x.h5",
        "tensor float32 3,4 0123456789abcdef parameters/x", "piece 0 512 0,0 2,4 parameters/x@0",
        "piece 0 544 2,0 1,4 parameters/x@1",
    ]

    @Test("a good one is read") func reading() throws {
        try inScratchFolder { folder in
            #expect(try complaint(good, in: folder) == "")
            let manifest = try Verification.manifest(of: folder)
            #expect(manifest.step == 7 && manifest.tensors[0].digest == 0x0123_4567_89AB_CDEF)
            #expect(manifest.tensors[0].pieces.map(\.byteOffset) == [512, 544])
        }
    }

    @Test("a future version is told from damage") func future() throws {
        try inScratchFolder { folder in
            let found = try complaint(["switchyard checkpoint 2", "anything"], in: folder)
            #expect(found.contains("format version 2") && found.contains("up to 1"))
            try put(Array((good.joined(separator: "\n") + "\nsha256 00\n").utf8), folder + "/manifest")
            let failure = #expect(throws: Failure.self) { try Verification.manifest(of: folder) }
            #expect(failure?.message.contains("damaged") ?? false)
        }
    }

    @Test(
        "lines that mean nothing, or nothing good, are refused though the hash is right",
        arguments: [
            (0, "switchyard checkpoint one"), (0, "PK"), (1, "step -1"), (1, "step 07"), (2, "file 1000 aa x.h5"),
            (2, "file 10 \(String(repeating: "a", count: 64)) x.h5"),
            (2, "file 1000 \(String(repeating: "a", count: 64)) ../x.h5"),
            (2, "file 1000 \(String(repeating: "a", count: 64)) .x"),
            (3, "tensor float16 3,4 0123456789abcdef parameters/x"),
            (3, "tensor float32 3,0 0123456789abcdef parameters/x"), (3, "tensor float32 1,2,3,4,5 0123456789abcdef x"),
            (3, "tensor float32 3,4 0123456789abcdef ../x"), (3, "tensor float32 3,4 0123456789abcdeg x"),
            (4, "piece 1 512 0,0 2,4 x"), (4, "piece 0 512 2,0 2,4 x"), (4, "piece 0 512 0,0 3,4 x"),
            (4, "piece 0 99999 0,0 2,4 x"), (4, "piece 0 512 0,0 2,4"), (5, "nonsense"),
            (5, "piece 0 544 1,0 1,4 parameters/x@1"),
            (4, "piece 0 9223372036854775800 0,0 2,4 x"),
            (3, "tensor float32 9223372036854775807,4 0123456789abcdef x"),
        ])
    func nonsense(line: Int, text: String) throws {
        try inScratchFolder { folder in
            var lines = good
            lines[line] = text
            let found = try complaint(lines, in: folder)
            #expect(found.contains("manifest"), "\(text)")
        }
    }
}
