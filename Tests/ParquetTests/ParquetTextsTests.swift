import Diagnostics
import Foundation
import Parquet
import Testing

@Suite struct ParquetTextsTests {
    static let read = Golden.names.filter { !$0.hasPrefix("refused") }

    @Test func everyCombinationIsThere() {
        #expect(Self.read.filter { $0.hasPrefix("rows-") }.count == 32 && Self.read.count >= 47)
    }

    @Test("the texts are those that pyarrow was given", arguments: read)
    func goldenTexts(_ name: String) throws {
        let found = try texts(Golden.path(name), Golden.column(name)).map { String(decoding: $0, as: UTF8.self) }
        // A difference of long texts is not shown: finding it takes minutes.
        let isEqual = try found == Golden.expected(name)
        #expect(isEqual, "\(found.count) texts")
    }

    @Test("a text is read in parts of any size") func parts() throws {
        for name in ["rows-plain-snappy-v1", "rows-dictionary-none-v2", "rows-prefixes-zstd-v2"] {
            var texts = try ParquetFile(Golden.path(name)).texts(inFirstOf: ["text"]), found: [String] = []
            var position = 0
            #expect(texts.column == "text" && texts.count == 0)
            while try texts.next() {
                var text: [UInt8] = []
                for start in stride(from: 0, to: texts.count, by: 3) {
                    texts.append(start..<min(start + 3, texts.count), to: &text)
                }
                found.append(String(decoding: text, as: UTF8.self))
                #expect(texts.position >= position)
                position = texts.position
            }
            #expect(try found == Golden.expected(name))
            #expect(try position < Golden.bytes(name).count && position > 0)
            #expect(try !texts.next())
        }
    }

    @Test("the first of several names that is a column is read") func severalNames() throws {
        let file = try ParquetFile(Golden.path("nested"))
        #expect(try file.texts(inFirstOf: ["text", "content", "a.b"]).column == "content")
        #expect(throws: Failure.self) { try file.texts(inFirstOf: ["text", "a", "content"]) }
    }

    @Test(
        "what is not read is refused by name",
        arguments: [
            ("refused-lz4", "text", "row group 0: its column `text` is compressed by LZ4"),
            ("refused-brotli", "text", "row group 0: its column `text` is compressed by Brotli"),
            ("refused-list", "text", "the column `text` has several values a row"),
            ("refused-list", "text.list.element", "the column `text.list.element` has several values a row"),
            ("refused-number", "text", "the column `text` holds 64-bit integers, not strings"),
            ("refused-struct", "text", "the column `text` is a struct of `text.a`"),
            ("refused-decimal", "text", "the column `text` holds byte arrays of one length, not strings"),
            ("refused-column", "text", "there is no column `text`; the columns are `story`, `id`"),
            ("nested", "a", "the column `a` is a struct of `a.n`, `a.b`, `a.l.list.element`"),
            ("nested", "l", "the column `l` has several values a row"),
            ("nested", "a.c", "there is no column `a.c`; the columns are `l.list.element`, `a.n`, `a.b`"),
            ("refused-encrypted", "text", "it is encrypted"), ("refused-encrypted-column", "text", "it is encrypted"),
        ])
    func refusals(_ name: String, _ column: String, _ complaint: String) throws {
        let refusal = #expect(throws: Failure.self) { try texts(Golden.path(name), column) }
        #expect(refusal?.status == .data && refusal?.advice != nil)
        #expect(refusal?.message.hasPrefix("\(Golden.path(name)): \(complaint)") == true, "\(refusal?.message ?? "-")")
    }

    @Test(
        "what is no Parquet file is refused",
        arguments: ["", "PAR1", "PAR1PAR1", "PAR1\u{0}\u{0}\u{0}\u{0}PAR1", "PAR1????PAR1", "PAR1 and so on, PAR2"])
    func otherFiles(_ contents: String) throws {
        try withFile(Array(contents.utf8)) { path in
            let refusal = #expect(throws: Failure.self) { try texts(path) }
            #expect(refusal?.status == .data && refusal?.message.contains(path) == true)
        }
        #expect(throws: Failure.self) { try ParquetFile("/nowhere/a.parquet") }
    }

    @Test("a page whose checksum is another is refused", arguments: ["checked", "checked-v2"])
    func checksums(_ name: String) throws {
        var bytes = try Golden.bytes(name), found = 0
        let expected = try Golden.expected(name)
        // Every byte of pages and headers; of a header some bits do not matter.
        for index in 4..<bytes.count - 350 {
            bytes[index] ^= 1
            try withFile(bytes) { path in
                do throws(Failure) {
                    let read = try texts(path).map { String(decoding: $0, as: UTF8.self) }
                    #expect(read == expected, "byte \(index)")
                } catch {
                    #expect(error.status == .data)
                    if error.message.contains("checksum") { found += 1 }
                }
            }
            bytes[index] ^= 1
        }
        #expect(found > 50)
    }
}
