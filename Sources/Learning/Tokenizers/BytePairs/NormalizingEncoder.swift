@_spi(_Unicode) import Swift

/// Gives `inner` the text in Unicode's normalization form NFC (Unicode Standard Annex 15) for the characters of Unicode 9.0, whose
/// tables Hugging Face `tokenizers` 0.23 has. Characters of later versions and bytes that are no UTF-8 stay as they are, and what is
/// on either side of them is normalized by itself.
struct NormalizingEncoder<Inner: TokenEncoder>: TokenEncoder {
    private var inner: Inner
    /// Normalized text that `inner` has left.
    private var pending: [UInt8] = []

    init(_ inner: Inner) { self.inner = inner }

    mutating func encode(_ text: Span<UInt8>, isEnd: Bool, into tokens: inout [UInt32]) -> Int {
        let end = isEnd ? text.count : lastBoundary(in: text)
        normalize(text, upTo: end)
        var ready: [UInt8] = []
        swap(&ready, &pending)
        ready.removeFirst(inner.encode(ready.span, isEnd: isEnd, into: &tokens))
        pending = ready
        return end
    }

    /// Appends the normalized text before `end` to `pending`. Characters from one boundary to the next are normalized together.
    private mutating func normalize(_ text: Span<UInt8>, upTo end: Int) {
        var run: [Unicode.Scalar] = [], place = 0
        while place < end {
            let (scalar, length) = character(of: text, at: place)
            if let scalar {
                if Self.beginsRun(scalar) { flush(&run) }
                run.append(scalar)
            } else {
                flush(&run)
                for i in place..<place + length { pending.append(text[i]) }
            }
            place += length
        }
        flush(&run)
    }

    /// The character that begins at `place`; nil for what is not normalized: a byte that begins none, and a character of a later
    /// version.
    private func character(of text: Span<UInt8>, at place: Int) -> (Unicode.Scalar?, length: Int) {
        if text[place] < 0x80 { return (Unicode.Scalar(text[place]), 1) }
        guard let (scalar, length) = text.decodedScalar(at: place) else { return (nil, 1) }
        if Self.beginsRun(scalar) { return (scalar, length) }
        guard let age = scalar.properties.age, age <= (9, 0) else { return (nil, length) }
        return (scalar, length)
    }

    private mutating func flush(_ run: inout [Unicode.Scalar]) {
        guard let first = run.first else { return }
        if run.count == 1, Self.beginsRun(first) {
            append(first)
        } else {
            for scalar in String(String.UnicodeScalarView(run))._nfc { append(scalar) }
        }
        run.removeAll(keepingCapacity: true)
    }

    @inline(__always)
    private mutating func append(_ scalar: Unicode.Scalar) {
        if scalar.isASCII { pending.append(UInt8(scalar.value)) } else { pending += UTF8.encode(scalar) ?? .init() }
    }

    /// Whether the character neither changes by itself nor composes with what is before it: of those that do neither, the ones
    /// that are known without a table, Latin letters, ideographs and syllables of Hangul.
    private static func beginsRun(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x300, 0x4E00...0x9FFF, 0xAC00...0xD7A3: true
        default: false
        }
    }

    /// Where the last character begins that is not normalized together with those before it; 0 if there is none.
    private func lastBoundary(in text: Span<UInt8>) -> Int {
        var place = text.count
        while place > 0 {
            place -= 1
            // The last bytes may be the beginning of a character.
            guard place + 4 <= text.count else { continue }
            if text[place] < 0x80 { return place }
            if let (scalar, _) = text.decodedScalar(at: place), Self.beginsRun(scalar) { return place }
        }
        return 0
    }
}
