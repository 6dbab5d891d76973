/// GPT-2's spelling of bytes by printable characters, so that merges can be kept in a text file: a byte that prints is
/// itself, the others are the characters from U+0100 on, in ascending order.
///
/// Radford et al., "Language Models are Unsupervised Multitask Learners" (2019), `bytes_to_unicode` of its code.
package struct PrintableBytes: Sendable {
    /// The byte of each of the tokens 0–255: the printing ones, then the rest, ascending in each.
    let byteOfToken: [UInt8]
    /// The inverse.
    package let tokenOfByte: [UInt32]

    package init() {
        let printing = Array(33...126) + Array(161...172) + Array(174...255)
        let order = printing + (0...255).filter { !printing.contains($0) }
        var tokenOfByte = [UInt32](repeating: 0, count: 256)
        for (token, byte) in order.enumerated() { tokenOfByte[byte] = UInt32(token) }
        byteOfToken = order.map { UInt8($0) }
        self.tokenOfByte = tokenOfByte
    }

    private static let printingCount = 188

    package func text(of bytes: [UInt8]) -> String {
        var text = String.UnicodeScalarView()
        for byte in bytes {
            let token = Int(tokenOfByte[Int(byte)])
            let isPrinting = token < Self.printingCount
            text.append(isPrinting ? Unicode.Scalar(byte) : Unicode.Scalar(UInt8(token - Self.printingCount)).shifted)
        }
        return String(text)
    }

    /// Nil if a character stands for no byte.
    func bytes(of text: Substring) -> [UInt8]? {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            let value = Int(scalar.value)
            if value >= 256 {
                guard value - 256 < 256 - Self.printingCount else { return nil }
                bytes.append(byteOfToken[Self.printingCount + value - 256])
            } else {
                guard tokenOfByte[value] < Self.printingCount else { return nil }
                bytes.append(UInt8(value))
            }
        }
        return bytes
    }
}

extension Unicode.Scalar {
    /// 256 places on.
    fileprivate var shifted: Unicode.Scalar { Unicode.Scalar(UInt16(value) + 256) ?? self }
}
