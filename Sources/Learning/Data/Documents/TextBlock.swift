import Tokenizers

/// How far texts have been read.
struct TextPlace: Equatable, Sendable {
    /// Of the list of files, from 0.
    var file = 0
    /// That are complete in this file.
    var documents = 0
    /// Of the document that is not complete.
    var bytes = 0
}

/// Text that is encoded by itself, on any thread: whole documents, or a part of a long one.
struct TextBlock: Sendable {
    /// Text of one document.
    struct Part: Sendable {
        /// In the block's text.
        var end: Int
        var endsDocument: Bool
        /// The digest of the document's text, if this is the end of one that began in an earlier block.
        var hash: UInt64?
    }

    var text: [UInt8]
    var parts: [Part] = []
    /// Whether the first part is behind a cut.
    var isBehindCut: Bool
    /// The tokens of the text, of one that could not be cut.
    var tokens: [UInt32]?
    var end = BlockEnd()
}

/// Where a block ends.
struct BlockEnd: Sendable {
    var place = TextPlace()
    /// How many bytes of all files, as they are stored, were read.
    var position = 0
    /// Whether what follows can be encoded without what is before.
    var isResumable = true
}

/// The tokens of a block.
struct EncodedBlock: Sendable {
    var tokens: [UInt32] = []
    /// Where documents end in `tokens`, and the digests of their texts.
    var documents: [TokenStream.DocumentEnd] = []
    /// Of text.
    var bytes: Int
    var blockEnd: BlockEnd

    init(_ block: TextBlock, _ encoder: inout any TokenEncoder, endOfText: Int) {
        (bytes, blockEnd) = (block.text.count, block.end)
        tokens.reserveCapacity(block.text.count / 3)
        if block.isBehindCut, block.tokens == nil { encoder.beginBehindCut() }
        var start = 0
        for part in block.parts {
            let text = block.text.span.extracting(start..<part.end)
            if let done = block.tokens {
                tokens = done
            } else {
                _ = encoder.encode(text, isEnd: true, into: &tokens)
            }
            start = part.end
            guard part.endsDocument else { continue }
            tokens.append(UInt32(endOfText))
            documents.append(.init(end: tokens.count, hash: part.hash ?? text.digest))
        }
    }
}
