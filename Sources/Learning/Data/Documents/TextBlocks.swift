import Diagnostics
import Platform
import Tokenizers

/// Takes the documents of files in order and divides them into blocks, the same ones every time; empty documents are
/// passed over. One block is in memory, whatever the size of a file, and a document only where it cannot be cut.
struct TextBlocks {
    /// A block has at least as many bytes of text, but the last one.
    private static let size = 1 << 17
    /// A part of a document in which so many bytes have no cut is encoded while it is read.
    private static let longest = 1 << 22

    private let files: ArraySlice<TextFile>
    private let lastCut: (Span<UInt8>) -> Int?
    /// Encodes what cannot be cut; nil: blocks then grow until they can.
    private var encoder: (any TokenEncoder)?
    private var reader: (any DocumentReader)?
    private var place: TextPlace
    /// Bytes of the files that are finished.
    private var finished: Int
    /// Text that has been read and is part of no block yet.
    private var rest: [UInt8] = []
    /// Of the document of which a part has gone into a block.
    private var digest = ByteDigest()
    private var isEncoding = false

    /// - Parameters:
    ///   - range: the files to read; their places count all `files`
    ///   - lastCut: as `Tokenizer.lastCut`
    init(
        _ files: [TextFile], _ range: Range<Int>, cuttingAt lastCut: @escaping (Span<UInt8>) -> Int?,
        encoder: (any TokenEncoder)?
    ) {
        self.files = files[range]
        self.lastCut = lastCut
        self.encoder = encoder
        place = TextPlace(file: range.lowerBound)
        finished = files[..<range.lowerBound].reduce(0) { $0 + $1.bytes }
    }

    /// - Returns: nil when all files are read
    /// - Throws: as `DocumentCatalog.reader` and `DocumentReader.read`
    mutating func next() throws(Failure) -> TextBlock? {
        var block = TextBlock(text: rest, isBehindCut: place.bytes > 0), start = 0
        rest = []
        while true {
            switch try read(into: &block.text) {
            case .text: if divide(&block, from: start) { return close(block) }
            case .endOfDocument where isEncoding:
                encode(&block, isEnd: true)
                return close(block)
            case .endOfDocument:
                endDocument(in: &block, from: start)
                start = block.text.count
                if start >= Self.size { return close(block) }
            case .endOfFile:
                guard !advance() else { continue }
                return block.parts.isEmpty ? nil : close(block)
            }
        }
    }

    /// Passes over what is before `goal`, the end of a resumable block, in the first file.
    /// - Returns: false if there is no such place
    mutating func skip(to goal: TextPlace) throws(Failure) -> Bool {
        var text: [UInt8] = [], isBegun = false
        while place != goal {
            let isInDocument = place.documents == goal.documents
            let piece = try read(upTo: isInDocument ? goal.bytes - place.bytes : Self.size, into: &text)
            isBegun = isBegun || !text.isEmpty
            if isInDocument {
                digest.add(text.span)
                place.bytes += text.count
            }
            text.removeAll(keepingCapacity: true)
            guard piece == .endOfDocument else {
                if piece == .endOfFile { return false }
                continue
            }
            guard !isInDocument else { return false }
            if isBegun { place.documents += 1 }
            isBegun = false
            try SignalRequests.throwIfStopRequested(during: "finding the place")
        }
        return true
    }

    private mutating func read(into text: inout [UInt8]) throws(Failure) -> DocumentPiece {
        // As much again as there is, so that what cannot be cut is looked at a bounded number of times.
        try read(upTo: max(Self.size, text.count), into: &text)
    }

    private mutating func read(upTo limit: Int, into text: inout [UInt8]) throws(Failure) -> DocumentPiece {
        guard files.indices.contains(place.file) else { return .endOfFile }
        var open = if let reader { reader } else { try DocumentCatalog.reader(of: DocumentFile(files[place.file])) }
        let piece = try open.read(upTo: limit, into: &text)
        reader = open
        return piece
    }

    /// - Returns: false if there is no other file
    private mutating func advance() -> Bool {
        guard files.indices.contains(place.file) else { return false }
        finished += files[place.file].bytes
        (place, reader) = (TextPlace(file: place.file + 1), nil)
        return files.indices.contains(place.file)
    }

    private func close(_ block: TextBlock) -> TextBlock {
        var block = block
        block.end = BlockEnd(
            place: place, position: finished + (reader?.position ?? 0), isResumable: !isEncoding)
        return block
    }

    private mutating func endDocument(in block: inout TextBlock, from start: Int) {
        let end = block.text.count, isContinued = place.bytes > 0
        guard isContinued || end > start else { return }
        if isContinued { digest.add(block.text.span.extracting(start...)) }
        let hash = isContinued ? digest.value : nil
        block.parts.append(.init(end: end, endsDocument: true, hash: hash))
        (place.documents, place.bytes, digest) = (place.documents + 1, 0, ByteDigest())
    }

    /// Ends a block inside a document, at a cut or before the document.
    /// - Parameter start: where the document begins in the block
    /// - Returns: whether the block is complete
    private mutating func divide(_ block: inout TextBlock, from start: Int) -> Bool {
        guard block.text.count >= Self.size else { return false }
        if isEncoding {
            encode(&block, isEnd: false)
            return !block.parts.isEmpty
        }
        if let cut = lastCut(block.text.span.extracting(start...)) {
            keepBack(from: start + cut, of: &block)
            endPart(of: &block, from: start)
            return true
        }
        if start > 0 {
            keepBack(from: start, of: &block)
            return true
        }
        guard block.text.count >= Self.longest, encoder != nil else { return false }
        if block.isBehindCut { encoder?.beginBehindCut() }
        isEncoding = true
        encode(&block, isEnd: false)
        return !block.parts.isEmpty
    }

    private mutating func keepBack(from end: Int, of block: inout TextBlock) {
        rest = Array(block.text[end...])
        block.text.removeSubrange(end...)
    }

    private mutating func endPart(of block: inout TextBlock, from start: Int) {
        digest.add(block.text.span.extracting(start...))
        place.bytes += block.text.count - start
        let end = block.text.count
        block.parts.append(.init(end: end, endsDocument: false))
    }

    /// Encodes as much of a block that cannot be cut as what follows cannot change.
    private mutating func encode(_ block: inout TextBlock, isEnd: Bool) {
        var tokens: [UInt32] = []
        let used = encoder?.encode(block.text.span, isEnd: isEnd, into: &tokens) ?? 0
        guard used > 0 || isEnd else { return }
        block.tokens = tokens
        if isEnd {
            isEncoding = false
            return endDocument(in: &block, from: 0)
        }
        keepBack(from: used, of: &block)
        endPart(of: &block, from: 0)
    }
}
