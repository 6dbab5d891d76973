import Diagnostics

/// nanoGPT's `train.bin`: little-endian tokens of 16 bits, or of 32, and nothing else.
struct NanoGPTWriter: TokenFileForm {
    let headerBytes = 0

    func complete(_ stream: TokenStream, _ metadata: TokenFileMetadata) {}
}
