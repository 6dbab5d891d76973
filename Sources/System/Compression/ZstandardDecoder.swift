import CZstd

/// Zstandard's format (RFC 8878) by libzstd: any number of frames, skippable ones among them.
@safe final class ZstandardDecoder: StreamDecoder {
    /// The logarithm of the largest window, 128 MiB: what `zstd` itself takes without being asked to.
    private static let largestWindow: Int32 = 27

    private let stream: OpaquePointer
    private(set) var isComplete = true

    init() throws(DecompressionError) {
        guard let stream = unsafe ZSTD_createDStream() else {
            throw DecompressionError("libzstd has no memory to decompress it")
        }
        unsafe self.stream = stream
        unsafe ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, Self.largestWindow)
    }

    deinit { unsafe ZSTD_freeDStream(stream) }

    func reset() {
        unsafe ZSTD_DCtx_reset(stream, ZSTD_reset_session_only)
        isComplete = true
    }

    func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(DecompressionError) -> (used: Int, written: Int) {
        guard input.count > 0 || !isComplete else { return (0, 0) }
        var source = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var target = unsafe ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let result = unsafe ZSTD_decompressStream(stream, &target, &source)
        guard ZSTD_isError(result) == 0 else { throw Self.error(result) }
        isComplete = result == 0
        return unsafe (source.pos, target.pos)
    }

    private static func error(_ result: Int) -> DecompressionError {
        switch ZSTD_getErrorCode(result) {
        case ZSTD_error_frameParameter_windowTooLarge:
            return DecompressionError(
                "its zstd data need a window of more than \((1 << Int(largestWindow)) >> 20) MiB of memory",
                advice: "compress it again with a smaller one: zstd -d --long=31 -c FILE | zstd -o NEW.zst")
        case ZSTD_error_memory_allocation:
            return DecompressionError("libzstd has no memory to decompress it")
        case ZSTD_error_dictionary_wrong:
            return DecompressionError(
                "its zstd data were compressed with a dictionary, which is not there",
                advice: "decompress it with that first: zstd -d -D DICTIONARY FILE")
        default:
            let reason = unsafe String(cString: ZSTD_getErrorName(result))
            return DecompressionError("its zstd data are damaged (\(reason))", advice: "copy it again")
        }
    }
}
