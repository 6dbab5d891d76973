import COpenSSL

/// SHA-256 (FIPS 180-4) of bytes that arrive in pieces; libcrypto's, because it uses the CPU's instructions for it.
@safe package struct SHA256: ~Copyable {
    private let context: OpaquePointer

    package init() {
        guard let context = unsafe EVP_MD_CTX_new(), unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("libcrypto has no SHA-256")
        }
        unsafe self.context = context
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        unsafe EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    /// The digest in lower-case hexadecimal. Call once.
    package mutating func finish() -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        unsafe EVP_DigestFinal_ex(context, &digest, &count)
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// The digest of `bytes`.
    package static func digest(of bytes: [UInt8]) -> String {
        var hash = SHA256()
        unsafe bytes.withUnsafeBytes { unsafe hash.update($0) }
        return hash.finish()
    }
}
