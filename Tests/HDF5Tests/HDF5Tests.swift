import TestSupport
import Diagnostics
import Foundation
import HDF5
import Platform
import Tensors
import Testing

@Suite("HDF5") struct HDF5Tests {
    private func roundTrip<Element: HDF5Element & Numeric>(_: Element.Type, shape: [Int], in folder: String) throws {
        let values = Vector<Element>((0..<shape.reduce(1, *)).map { Element(exactly: $0 % 100)! })
        let path = folder + "/\(Element.storage.rawValue)-\(shape.count).h5"
        let file = try HDF5File.create(path)
        let root = try file.root()
        let dataset = try root.createDataset("a/b.c/values", of: Element.storage, shape: shape)
        let zeros = shape.map { _ in 0 }
        try dataset.write(values, offset: zeros, shape: shape)
        try dataset.close()
        try root.close()
        try file.close()

        let again = try HDF5File.open(path)
        let found = try again.root().group("a").dataset("b.c/values")
        #expect(found.shape == shape)
        #expect(try found.storage() == Element.storage)
        let part = Vector<Element>(count: 1)
        let corner = shape.map { $0 - 1 }
        try found.read(into: part, offset: corner, shape: shape.map { _ in 1 })
        #expect(part[0] == values[values.count - 1])
        let all = Vector<Element>(count: values.count)
        try found.read(into: all, offset: zeros, shape: shape)
        #expect(all.array == values.array)
        try again.close()
    }

    @Test("every kind of number, one to four extents") func kinds() throws {
        try inScratchFolder { folder in
            for shape in [[7], [3, 5], [2, 1, 4], [2, 3, 2, 3]] {
                try roundTrip(Float.self, shape: shape, in: folder)
                try roundTrip(Double.self, shape: shape, in: folder)
                try roundTrip(Int32.self, shape: shape, in: folder)
                try roundTrip(Int64.self, shape: shape, in: folder)
                try roundTrip(UInt8.self, shape: shape, in: folder)
            }
        }
    }

    @Test("rectangles are written and read where they lie") func rectangles() throws {
        try inScratchFolder { folder in
            let file = try HDF5File.create(folder + "/r.h5")
            let dataset = try file.root().createDataset("x", of: .float32, shape: [4, 6])
            for row in 0..<2 {
                for column in 0..<3 {
                    let value = Float(row * 3 + column)
                    try dataset.write(
                        Vector(Array(repeating: value, count: 4)), offset: [row * 2, column * 2], shape: [2, 2])
                }
            }
            try dataset.write(Vector<Float>(count: 0), offset: [0, 0], shape: [0, 6])
            let window = Vector<Float>(count: 6)
            try dataset.read(into: window, offset: [1, 1], shape: [2, 3])
            #expect(window.array == [0, 1, 1, 3, 4, 4])
            let outside = #expect(throws: HDF5Error.self) {
                try dataset.read(into: window, offset: [3, 1], shape: [2, 3])
            }
            #expect(try Failure(hdf5: #require(outside)).status == .software)
            #expect(throws: HDF5Error.self) { try dataset.read(into: window, offset: [0, 0], shape: [2, 2]) }
        }
    }

    @Test("attributes and texts come back") func attributes() throws {
        try inScratchFolder { folder in
            let file = try HDF5File.create(folder + "/a.h5"), root = try file.root()
            try root.setAttribute("name", "Weiche – Σ")
            try root.setAttribute("empty", "")
            try root.setAttribute("step", Int64.max)
            try root.setAttribute("loss", 0.1)
            try root.setAttribute("rate", Float(0.1))
            try root.setAttribute("shape", [Int64(3), 5])
            let long = String(repeating: "zeile\n", count: 50_000)
            try root.writeText(long, to: "run/config")
            try root.writeText("", to: "run/empty")
            let zero = #expect(throws: HDF5Error.self) { try root.writeText("a\0b", to: "run/zero") }
            #expect(try Failure(hdf5: #require(zero)).status == .data)
            #expect(try root.textAttribute("name") == "Weiche – Σ")
            #expect(try root.textAttribute("empty") == "")
            #expect(try root.attribute("step", as: Int64.self) == [Int64.max])
            #expect(try root.attribute("loss", as: Double.self) == [0.1])
            #expect(try root.attribute("rate", as: Float.self) == [0.1])
            #expect(try root.attribute("shape", as: Int64.self) == [3, 5])
            #expect(try root.readText("run/config") == long)
            #expect(try root.readText("run/empty") == "")
            #expect(try root.names() == ["run"])
            #expect(try root.isGroup("run"))
            #expect(try root.contains("run/config") && !root.contains("walk"))
        }
    }

    @Test("the same contents give the same bytes") func stableBytes() throws {
        try inScratchFolder { folder in
            var files: [Data] = []
            for name in ["one.h5", "two.h5"] {
                let file = try HDF5File.create(folder + "/" + name), root = try file.root()
                try root.setAttribute("step", Int64(3))
                try root.writeText("text", to: "run/config")
                let dataset = try root.createDataset("a/x", of: .float32, shape: [100, 200])
                try dataset.write(Vector<Float>(count: 20_000), offset: [0, 0], shape: [100, 200])
                try dataset.close()
                try root.close()
                try file.close()
                files.append(try Data(contentsOf: URL(filePath: folder + "/" + name)))
                if files.count == 1 { Thread.sleep(forTimeInterval: 1.1) }
            }
            #expect(files[0] == files[1])
        }
    }

    @Test("a virtual dataset shows the files behind it, also after a move, and NaN where one is missing")
    func virtualDataset() throws {
        try inScratchFolder { folder in
            let before = folder + "/before", after = folder + "/after"
            try FileManager.default.createDirectory(atPath: before, withIntermediateDirectories: true)
            var pieces: [VirtualPiece] = []
            for half in 0..<2 {
                let file = try HDF5File.create(before + "/half-\(half).h5")
                let dataset = try file.root().createDataset("g/x", of: .float32, shape: [2, 3])
                try dataset.write(
                    Vector((0..<6).map { Float(half * 6 + $0) }), offset: [0, 0], shape: [2, 3])
                try dataset.close()
                try file.close()
                pieces.append(
                    VirtualPiece(file: "half-\(half).h5", dataset: "g/x", offset: [half * 2, 0], shape: [2, 3]))
            }
            let index = try HDF5File.create(before + "/index.h5")
            try index.root().createVirtualDataset("g/x", of: .float32, shape: [4, 3], from: pieces).close()
            try index.close()
            try FileManager.default.moveItem(atPath: before, toPath: after)
            #expect(try readAll(after + "/index.h5") == (0..<12).map(Float.init))
            try FileManager.default.removeItem(atPath: after + "/half-1.h5")
            let damaged = try readAll(after + "/index.h5")
            #expect(damaged.prefix(6) == (0..<6).map(Float.init)[...])
            #expect(damaged.suffix(6).allSatisfy { $0.isNaN })
        }
    }

    private func readAll(_ path: String) throws -> [Float] {
        let file = try HDF5File.open(path)
        let dataset = try file.root().dataset("g/x")
        let values = Vector<Float>(count: dataset.shape.reduce(1, *))
        try dataset.read(into: values, offset: dataset.shape.map { _ in 0 }, shape: dataset.shape)
        try dataset.close()
        try file.close()
        return values.array
    }

    @Test("an error names the file, the call and the library's reason") func errors() throws {
        try inScratchFolder { folder in
            try Data("no HDF5 at all".utf8).write(to: URL(filePath: folder + "/text.h5"))
            let error = #expect(throws: HDF5Error.self) { try HDF5File.open(folder + "/text.h5") }
            let failure = try Failure(hdf5: #require(error)), message = failure.message
            #expect(failure.status == .inputOutput)
            #expect(message.contains("text.h5") && message.contains("H5Fopen") && message.contains("signature"))
            #expect(throws: HDF5Error.self) { try HDF5File.open(folder + "/missing.h5") }
            let file = try HDF5File.create(folder + "/f.h5")
            #expect(throws: HDF5Error.self) { try file.root().dataset("nothing") }
            #expect(throws: HDF5Error.self) { try file.root().textAttribute("nothing") }
        }
    }
}
