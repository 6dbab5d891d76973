import Diagnostics
import Platform

extension ForeignTokenFile {
    /// Numbers and nothing else: of 16 bits, unless name, contents or vocabulary say that they are wider.
    /// - Throws: `data` if the contents are something else, or do not tell what they are
    static func bare(_ file: MappedFile, vocabularySize: Int) throws(Failure) -> ForeignTokenFile {
        if let signature = FileSignature(file.bytes) {
            throw Failure(
                .data, "\(file.path) is \(signature.inWords), not bare tokens", advice: signature.advice)
        }
        let named = TokenWidth(inNameOf: file.path), parts = TokenParts(file)
        if named == nil { try requireTokens(file, parts) }
        let least = TokenWidth(ofVocabulary: vocabularySize)
        let width = named ?? (parts.width == .two ? least : parts.width), bits = 8 * width.rawValue
        guard file.count % width.rawValue == 0 else {
            throw Failure(
                .data, "\(file.path) has \(file.count) bytes, which is no whole number of \(bits)-bit tokens",
                advice: "it is truncated, or no file of tokens")
        }
        var note: String?
        if width != .two, named == nil {
            let sign =
                parts.width == .two
                ? "the vocabulary has \(vocabularySize) entries"
                : "\(width == .four ? "every second 16-bit number is" : "three of four 16-bit numbers are") next to nothing"
            note =
                "\(file.path) is read as \(bits)-bit tokens: \(sign). "
                + "A name that ends in .u16.bin makes it one of 16-bit tokens"
        }
        return ForeignTokenFile(
            file: file, start: 0, count: file.count / width.rawValue, width: width, ends: nil, note: note)
    }

    /// Refuses what would be read as 16-bit tokens, or as tokens of a guessed width, and is something else without doubt.
    private static func requireTokens(_ file: MappedFile, _ parts: TokenParts) throws(Failure) {
        if parts.tells, file.isZero {
            throw Failure(
                .data,
                "\(file.path) holds nothing but zeros (\(file.count) bytes), which do not tell how "
                    + "wide its tokens are",
                advice: "it was probably allocated and never written; a name that ends in .u16.bin or .u32.bin "
                    + "gives the width")
        }
        if let bits = file.widthOfFloats {
            throw Failure(
                .data, "\(file.path) holds floating-point numbers of \(bits) bits, not whole ones",
                advice: "write them as whole numbers: "
                    + "np.fromfile(FILE, 'f\(bits / 8)').astype('<u4').tofile('tokens.u32.bin')")
        }
        let hidden = parts.width == .two ? TokenParts.widthBehindHeader(of: file) : nil
        // Four-byte numbers of the other byte order look like ours behind half a number, but fill the file.
        if let width = parts.widthIfBigEndian, hidden == nil || file.count % 4 == 0 {
            let bytes = width.rawValue
            throw Failure(
                .data,
                "\(file.path) holds numbers with the most significant byte first, \(8 * bytes)-bit ones by their look: "
                    + "every second 16-bit number is 0",
                advice: "write them little-endian: "
                    + "np.fromfile(FILE, '>u\(bytes)').astype('<u4').tofile('tokens.u32.bin')")
        }
        if let hidden {
            let bits = 8 * hidden.rawValue
            throw Failure(
                .data,
                "\(file.path) ends in numbers that look like \(bits)-bit tokens but begins with something else, such as a "
                    + "header that is not llm.c's",
                advice: "cut that off, for example `tail -c +N FILE > tokens.u\(bits).bin`; if these are 16-bit "
                    + "tokens, let the name end in .u16.bin")
        }
    }
}

extension MappedFile {
    /// Whether every byte is zero.
    fileprivate var isZero: Bool {
        let bytes = bytes
        for i in bytes.indices where bytes[i] != 0 { return false }
        return true
    }

    /// 32 or 64 if the file looks like whole numbers from 0 to 2^20 stored as floating-point numbers of so many bits.
    fileprivate var widthOfFloats: Int? {
        if holdsTokens(as: Float.self) { return 32 }
        return holdsTokens(as: Double.self) ? 64 : nil
    }

    private func holdsTokens<Number: BinaryFloatingPoint & BitwiseCopyable>(as type: Number.Type) -> Bool {
        let size = MemoryLayout<Number>.stride, least = 4
        guard count % size == 0, count / size >= least else { return false }
        let numbers = view(of: type, at: 0, count: min(count / size, 1 << 20))
        var isZero = true
        for i in numbers.indices {
            let number = numbers[i]
            // Also false for NaN and for -0, which no token is.
            guard number.sign == .plus, number <= 0x1p20, number == number.rounded() else { return false }
            if number != 0 { isZero = false }
        }
        return !isZero
    }
}
