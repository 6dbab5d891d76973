package import Diagnostics
import Platform

/// A Parquet file (apache/parquet-format, version 2): the metadata at its end, and the texts of one of its columns.
///
/// Read are columns of strings, optional or not, also inside structs: encodings PLAIN, RLE_DICTIONARY, DELTA_LENGTH_BYTE_ARRAY and
/// DELTA_BYTE_ARRAY, pages of both versions, not compressed or by Snappy, gzip or Zstandard. Everything else is refused by name.
package struct ParquetFile {
    /// In bytes. Metadata of data sets have kilobytes, those of thousands of columns and row groups some ten megabytes.
    private static let largestFooter = 1 << 28
    /// The magic numbers at both ends, and the length of the metadata.
    private static let frame = 12

    private let file: RegularFile
    private let footer: Footer
    /// Where pages must end: the metadata begin.
    private let end: Int

    /// - Throws: `noInput` if `path` cannot be read, `data` if it is no Parquet file, or one whose metadata are damaged or encrypted
    package init(_ path: String) throws(Failure) {
        file = try RegularFile(path)
        guard file.size >= Self.frame else {
            throw ParquetError.damaged("it is too short for a Parquet file").failure(at: path)
        }
        let tail = try file.bytes(from: file.size - 8, to: file.size), magic = Array(tail[4...])
        guard magic != Array("PARE".utf8) else { throw Footer.encrypted.failure(at: path) }
        guard magic == Array("PAR1".utf8) else {
            throw ParquetError.damaged("it does not end like a Parquet file").failure(at: path)
        }
        let length = Int(tail.bits(at: 0, 32))
        guard length <= file.size - Self.frame, length <= Self.largestFooter else {
            throw ParquetError.damaged("it has \(file.size) bytes, and metadata of \(length) are said to be at its end")
                .failure(at: path)
        }
        end = file.size - 8 - length
        let bytes = try file.bytes(from: end, to: end + length)
        do throws(ParquetError) {
            footer = try Footer(bytes)
        } catch {
            throw error.failure(at: path)
        }
    }

    /// The texts of the first of `names` that is a column; `a.b` is the column `b` of the struct `a`.
    /// - Throws: `data` if there is no such column, or if it holds no strings or is stored in a way that is not read
    package func texts(inFirstOf names: [String]) throws(Failure) -> ParquetTexts {
        do throws(ParquetError) {
            let index = try footer.schema.textColumn(inFirstOf: names)
            let chunks = try footer.chunks(of: index, before: end)
            return ParquetTexts(file, footer.schema.columns[index], chunks, before: end)
        } catch {
            throw error.failure(at: file.path)
        }
    }
}
