import Diagnostics
import Foundation
import Testing

/// Files whose numbers lie, each in one place.
@Suite struct HostileFilesTests {
    private static let plain = MadeFile.page(MadeFile.plain(["one", "two"]), count: 2)
    private static let whole = MadeFile(count: 2, pages: [plain])

    private func refusal(of file: MadeFile) throws -> String? {
        try withFile(file.bytes) { path in
            do throws(Failure) {
                _ = try texts(path)
                return nil
            } catch {
                #expect(error.status == .data && error.message.contains(path))
                return error.message
            }
        }
    }

    private func read(_ file: MadeFile) throws -> [String] {
        try withFile(file.bytes) { path in try texts(path).map { String(decoding: $0, as: UTF8.self) } }
    }

    @Test("the file that the others lie about is read") func theTrueFile() throws {
        #expect(try read(Self.whole) == ["one", "two"])
        // Two texts by a dictionary of one, whose indices have no bits: a run of two.
        let dictionary = [
            MadeFile.page(MadeFile.plain(["same"]), isDictionary: true), MadeFile.page([0, 4], count: 2, encoding: 8),
        ]
        #expect(try read(MadeFile(count: 2, pages: dictionary)) == ["same", "same"])
        let optional = MadeFile.page([2, 0, 0, 0, 6, 1] + MadeFile.plain(["a", "b", "c"]), count: 3)
        #expect(try read(MadeFile(count: 3, repetition: 1, pages: [optional])) == ["a", "b", "c"])
    }

    @Test("numbers of the metadata are checked") func metadata() throws {
        for (change, complaint) in [
            (
                {
                    $0.count = -1; $0.rows = -1
                }, "a size below 0"
            ), ({ $0.rows = 3 }, "is not that of 3 rows"),
            ({ $0.start = 0 }, "bytes at 0"), ({ $0.start = -5 }, "bytes at -5"),
            ({ $0.start = 1 << 50 }, "pages end at"),
            ({ $0.start = Int.max }, "pages end at"), ({ $0.storedInMetadata = Int.max }, "pages end at"),
            ({ $0.storedInMetadata = -1 }, "a size below 0"), ({ $0.codec = 99 }, "unknown codec, 99"),
            ({ $0.repetition = 2 }, "several values a row"), ({ $0.repetition = 9 }, "no tree"),
            ({ $0.groups = 1 << 40 }, "end too early"), ({ $0.groups = 2 }, "end too early"),
            ({ $0.schema = [] }, "no schema"),
            (
                {
                    $0.count = 3; $0.rows = 3
                }, "row group 0"
            ),
            (
                {
                    $0.count = 1; $0.rows = 1
                }, "2 rows, and 1 are left"
            ),
            (
                {
                    $0.count = Int.max; $0.rows = Int.max
                }, "row group 0"
            ),
        ] as [((inout MadeFile) -> Void, String)] {
            var file = Self.whole
            change(&file)
            let refused = try refusal(of: file)
            #expect(refused?.contains(complaint) == true, "\(complaint): \(refused ?? "accepted")")
        }
    }

    @Test("a schema that is no tree is refused") func schemas() throws {
        func element(_ name: String, children: Int? = nil) -> [UInt8] {
            ThriftWriter.structure {
                if children == nil { $0.int32(1, 6) }
                $0.field(4, 8, ThriftWriter.text(name))
                if let children { $0.int32(5, children) }
            }
        }
        for schema in [
            [element("s", children: 2), element("text")], [element("s", children: 0), element("text")],
            [element("s", children: 1), element("text"), element("b")], [element("s", children: -1), element("text")],
            [element("s", children: Int(Int32.max)), element("text")],
            (0..<100).map { _ in element("s", children: 1) } + [element("text")],
        ] {
            var file = Self.whole
            file.schema = schema
            #expect(try refusal(of: file)?.contains("its schema is no tree") == true)
        }
    }

    @Test("numbers of pages are checked") func pages() throws {
        let texts = MadeFile.plain(["one", "two"]), huge = Int(Int32.max)
        let dictionary = MadeFile.page(texts, count: 2, isDictionary: true)
        func indices(_ bytes: [UInt8]) -> [[UInt8]] { [dictionary, MadeFile.page(bytes, count: 2, encoding: 8)] }
        for (pages, complaint) in [
            ([MadeFile.page(texts, count: 2, size: huge)], "not the 2147483647 that its header gives"),
            ([MadeFile.page(texts, count: 2, stored: huge)], "more than are left"),
            ([MadeFile.page(texts, count: 2, stored: -1)], "no sizes"),
            ([MadeFile.page(texts, count: -2)], "how many values"),
            ([MadeFile.page(texts, count: 3)], "3 rows, and 2 are left"),
            ([MadeFile.page(texts, count: 1)], "row group 0"),
            ([MadeFile.page([255, 255, 255, 255], count: 2)], "ends within its texts"),
            ([MadeFile.page([3, 0, 0], count: 2)], "ends within its texts"),
            ([MadeFile.page(texts, count: 2, encoding: 5)], "DELTA_BINARY_PACKED"),
            ([MadeFile.page([1, 4, 0], count: 2, encoding: 8)], "number 0 of a dictionary of 0"),
            ([MadeFile.page(texts, count: huge, isDictionary: true)], "says that it has 2147483647"),
            ([MadeFile.page(texts, count: 3, isDictionary: true)], "ends within its texts"),
            ([dictionary, dictionary], "two dictionaries"), (indices([1, 3, 0b10]), ""),
            (indices([2, 4, 2]), "number 2 of a dictionary of 2"),
            (indices([32, 4, 255, 255, 255, 255]), "number 4294967295 of"),
            (indices([33, 4, 0, 0, 0, 0, 0]), "numbers of 33 bits"),
            (indices([1, 0]), "a run of 0 numbers"), (indices([1, 1]), "a run of 0 numbers"),
            (indices([1, 5, 0]), "within its numbers"),
            (indices([1] + ThriftWriter.unsigned(.max)), "a run of"), (indices([]), "no values"),
            (indices([1]), "within its numbers"),
            (indices([1, 0x80]), "within its numbers"),
            (indices([1] + [UInt8](repeating: 0x80, count: 11)), "more than 64 bits"),
        ] {
            let refused = try refusal(of: MadeFile(count: 2, pages: pages))
            #expect(
                complaint.isEmpty ? refused == nil : refused?.contains(complaint) == true,
                "\(complaint): \(refused ?? "accepted")")
        }
    }

    /// One block of lengths: miniblocks of numbers without bits, all differences the least one.
    private func packed(
        count: UInt64, first: Int, least: Int = 0, block: UInt64 = 128, parts: UInt64 = 4
    ) -> [UInt8] {
        [block, parts, count].flatMap(ThriftWriter.unsigned) + ThriftWriter.signed(first)
            + (count > 1 ? ThriftWriter.signed(least) + [0, 0, 0, 0] : [])
    }

    @Test("lengths that lie are refused") func lengths() throws {
        #expect(
            try read(
                MadeFile(
                    count: 2,
                    pages: [
                        MadeFile.page(packed(count: 2, first: 1, least: 1) + Array("abb".utf8), count: 2, encoding: 6)
                    ]))
                == ["a", "bb"])
        let prefixed = packed(count: 2, first: 0, least: 2) + packed(count: 2, first: 3, least: -2) + Array("abcd".utf8)
        #expect(
            try read(MadeFile(count: 2, pages: [MadeFile.page(prefixed, count: 2, encoding: 7)])) == ["abc", "abd"])
        for (bytes, encoding, complaint) in [
            (packed(count: 2, first: -1), 6, "within its texts"),
            (packed(count: 2, first: Int.max, least: 1), 6, "within its texts"),
            (packed(count: 1, first: 0), 6, "more texts than lengths"),
            (packed(count: .max, first: 0), 6, "lengths in blocks"),
            (packed(count: UInt64(Int32.max), first: 0), 6, "within its"),
            (packed(count: 2, first: 0, block: 0), 6, "blocks of 0"),
            (packed(count: 2, first: 0, parts: 0), 6, "0 parts"),
            (packed(count: 2, first: 0, block: 1 << 40), 6, "in blocks of"),
            (packed(count: 2, first: 0, block: 130), 6, "in blocks of"),
            (packed(count: 2, first: 0, parts: 1 << 20), 6, "parts each"),
            ([128, 1, 4, 2, 0, 0, 65, 0, 0, 0], 6, "within its lengths"),
            ([128, 1, 4, 2, 0, 0, 64, 0, 0, 0], 6, "within its lengths"),
            ([], 6, "within its numbers"),
            (packed(count: 2, first: 1) + packed(count: 2, first: 0), 7, "repeats 1 bytes of one of 0"),
            (packed(count: 2, first: 0, least: -1) + packed(count: 2, first: 0), 7, "repeats -1 bytes"),
            (packed(count: 2, first: 0) + packed(count: 2, first: 1), 7, "within its texts"),
        ] {
            let refused = try refusal(
                of: MadeFile(count: 2, pages: [MadeFile.page(bytes, count: 2, encoding: encoding)]))
            #expect(refused?.contains(complaint) == true, "\(complaint): \(refused ?? "accepted")")
        }
    }

    @Test("texts that are far more than their file are refused in time", .timeLimit(.minutes(5))) func expansion()
        throws
    {
        // Indices without bits: two thousand million times one text in a run.
        let count = Int(Int32.max), run = [0] + ThriftWriter.unsigned(UInt64(count) << 1)
        let text = String(repeating: "x", count: 100_000)
        let pages = [
            MadeFile.page(MadeFile.plain([text]), isDictionary: true), MadeFile.page(run, count: count, encoding: 8),
        ]
        #expect(try refusal(of: MadeFile(count: count, pages: pages))?.contains("times its size") == true)
        let nulls = ThriftWriter.unsigned(UInt64(count) << 1) + [0]
        let page = MadeFile.page([UInt8(nulls.count), 0, 0, 0] + nulls, count: count)
        let file = MadeFile(count: 4 * count, repetition: 1, pages: [page, page, page, page])
        #expect(try refusal(of: file)?.contains("times its size") == true)
    }

    @Test("a compressed page that claims more than it becomes is refused", arguments: [1, 2, 6])
    func compressedPages(_ codec: Int) throws {
        let page = MadeFile.page(MadeFile.plain(["one"]), count: 1, size: Int(Int32.max))
        #expect(try refusal(of: MadeFile(count: 1, codec: codec, pages: [page]))?.contains("a page: its") == true)
    }
}
