import TestSupport
import Conversion
import Diagnostics
import Foundation
import Platform
import Tensors
import Testing

/// A safetensors file of any header over any bytes.
func writeSafetensors(_ header: String, data: [UInt8], to path: String) throws {
    let length = unsafe withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { unsafe Array($0) }
    try Data(length + Array(header.utf8) + data).write(to: URL(filePath: path))
}

/// What opening a file says against it; nil if it is accepted.
func complaint(about path: String) -> String? {
    do throws(Failure) {
        _ = try SafetensorsFile(path)
        return nil
    } catch {
        return error.message
    }
}

struct SafetensorsTests {
    @Test func whatIsWrittenIsRead() throws {
        try inScratchFolder { folder in
            let path = folder + "/a.safetensors"
            let entries = [
                SafetensorsEntry(name: "b", shape: [2, 3]), SafetensorsEntry(name: "a", shape: [1]),
                SafetensorsEntry(name: "c", shape: [0, 4]),
            ]
            let writer = try SafetensorsWriter(path, entries)
            try writer.begin("a")
            try writer.append(Vector([Float(0.5)]))
            try writer.begin("b")
            try writer.append(Vector((0..<4).map { Float($0) }))
            try writer.append(Vector([4, -.infinity]))
            try writer.begin("c")
            try writer.finish()
            let file = try SafetensorsFile(path)
            #expect(file.tensors.map(\.name) == ["a", "b", "c"])
            #expect(file.tensors.map(\.shape) == [[1], [2, 3], [0, 4]])
            #expect(try file.read(file.tensors[0], 0..<1).array == [0.5])
            #expect(try file.read(file.tensors[1], 0..<6).array == [0, 1, 2, 3, 4, -.infinity])
            #expect(try file.read(file.tensors[1], 2..<4).array == [2, 3])
        }
    }

    @Test func tensorsOutOfTurnAreRefused() throws {
        try inScratchFolder { folder in
            let writer = try SafetensorsWriter(
                folder + "/a.safetensors",
                [SafetensorsEntry(name: "a", shape: [2]), SafetensorsEntry(name: "b", shape: [1])])
            #expect(throws: Failure.self) { try writer.begin("b") }
            #expect(!FileManager.default.fileExists(atPath: folder + "/a.safetensors"))
        }
    }

    /// Every value of sixteen bits that is a number, against the compiler's own conversion.
    @Test func smallerNumbersAreReadExactly() throws {
        try inScratchFolder { folder in
            let patterns = (0...UInt16.max).map { $0 }
            let data = patterns.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
            let header =
                #"{"h":{"dtype":"F16","shape":[65536],"data_offsets":[0,131072]},"#
                + #""b":{"dtype":"BF16","shape":[65536],"data_offsets":[131072,262144]}}"#
            try writeSafetensors(header, data: data + data, to: folder + "/a.safetensors")
            let file = try SafetensorsFile(folder + "/a.safetensors")
            let half = try file.read(file.tensors[0], 0..<65536), brief = try file.read(file.tensors[1], 0..<65536)
            for pattern in patterns {
                let wanted = Float(Float16(bitPattern: pattern)), found = half[Int(pattern)]
                #expect(found.bitPattern == wanted.bitPattern || (found.isNaN && wanted.isNaN))
                #expect(brief[Int(pattern)].bitPattern == UInt32(pattern) << 16)
            }
        }
    }

    @Test(arguments: [
        (
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
            8, "overlaps"
        ),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#,
            12, "hole"
        ),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "hole"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 8, "end at byte"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 2, "does not lie in the file"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "does not lie in the file"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "its shape wants 8"),
        (#"{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#, 8, "stored as I64"),
        (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "no possible shape"),
        (#"{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,4]}}"#, 4, "can be counted"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, 4, "does not lie in the file"),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\u0061":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
            4, "stands twice"
        ),
        (#"{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4, "stands twice"),
        (#"{"a":{"shape":[1],"data_offsets":[0,4]}}"#, 4, "`a` has no `dtype`"),
        (#"{"__metadata__":{"format":1}}"#, 0, "is not of type"),
        ("[]", 0, "is not of type"), ("{", 0, "header"),
    ]) func damagedHeadersAreRefused(header: String, bytes: Int, words: String) throws {
        try inScratchFolder { folder in
            let path = folder + "/a.safetensors"
            try writeSafetensors(header, data: [UInt8](repeating: 0, count: bytes), to: path)
            let found = try #require(complaint(about: path))
            #expect(found.contains(words), "\(found)")
            #expect(found.contains(path))
        }
    }

    @Test func headersThatCannotBeAreRefusedUnread() throws {
        try inScratchFolder { folder in
            let path = folder + "/a.safetensors"
            for length: [UInt8] in [
                [255, 255, 255, 255, 255, 255, 255, 255], [0, 0, 0, 0, 1, 0, 0, 0], [9, 0, 0, 0, 0, 0, 0, 0],
            ] {
                try Data(length + [UInt8](repeating: 0, count: 8)).write(to: URL(filePath: path))
                #expect(try #require(complaint(about: path)).contains("claims a header of"))
            }
            try Data([1, 2]).write(to: URL(filePath: path))
            #expect(try #require(complaint(about: path)).contains("truncated"))
            #expect(try #require(complaint(about: folder)).contains("not a regular file"))
        }
    }
}
