import CSnappy
import CZlib
import CZstd
import Foundation

/// Bytes compressed by the libraries themselves, for tests of what decompresses them.
package enum Compressed {
    /// One member of gzip's format.
    package static func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
        let path = FileManager.default.temporaryDirectory.appending(path: "gzip-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        guard let file = unsafe gzopen(path, "wb6") else { throw CocoaError(.fileWriteUnknown) }
        let written = unsafe bytes.withUnsafeBytes { unsafe gzwrite(file, $0.baseAddress, UInt32($0.count)) }
        guard written == bytes.count, unsafe gzclose(file) == Z_OK else { throw CocoaError(.fileWriteUnknown) }
        return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// One frame of Zstandard's format.
    /// - Parameters:
    ///   - bytes: what is compressed
    ///   - window: the logarithm of the window; that of the level if not given
    ///   - isChecked: whether the frame ends with a checksum
    package static func zstandard(_ bytes: [UInt8], window: Int32? = nil, isChecked: Bool = false) throws -> [UInt8] {
        let context = unsafe ZSTD_createCCtx()
        defer { unsafe ZSTD_freeCCtx(context) }
        if let window { unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window) }
        unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, isChecked ? 1 : 0)
        // A frame that states its size has no larger window than that.
        unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0)
        var result = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count) + 64)
        var remaining = 1, written = 0
        unsafe bytes.withUnsafeBytes { source in
            unsafe result.withUnsafeMutableBytes { target in
                var input = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count / 2, pos: 0)
                var output = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
                // Half of the input without its end, so that the library does not know the size when it begins.
                _ = unsafe ZSTD_compressStream2(context, &output, &input, ZSTD_e_continue)
                unsafe input.size = source.count
                remaining = unsafe ZSTD_compressStream2(context, &output, &input, ZSTD_e_end)
                written = unsafe output.pos
            }
        }
        guard remaining == 0 else { throw CocoaError(.fileWriteUnknown) }
        return Array(result[..<written])
    }

    /// A block of Snappy.
    package static func snappy(_ bytes: [UInt8]) throws -> [UInt8] {
        var length = snappy_max_compressed_length(bytes.count)
        var result = [CChar](repeating: 0, count: length)
        let status = unsafe snappy_compress(bytes.map { CChar(bitPattern: $0) }, bytes.count, &result, &length)
        guard status == SNAPPY_OK else { throw CocoaError(.fileWriteUnknown) }
        return result[..<length].map { UInt8(bitPattern: $0) }
    }
}
