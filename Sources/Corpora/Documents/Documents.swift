import Diagnostics

extension TextFile {
    /// Calls `body` with the text of each document in order; empty documents are passed over.
    /// - Throws: `data` naming line or byte for what is binary or no JSON; what `body` throws
    func forEachDocument(_ body: (Span<UInt8>) throws(Failure) -> Void) throws(Failure) {
        let file = try MappedFile(path)
        if isJSONLines {
            try forEachLine(of: file.bytes, body)
        } else if file.count > 0 {
            try refuseBinary(file)
            try body(file.bytes)
        }
    }

    private func refuseBinary(_ file: MappedFile) throws(Failure) {
        let bytes = file.bytes
        guard let offset = bytes.indices.first(where: { bytes[$0] == 0 }) else { return }
        throw Failure(
            .data, "\(path) is not text: byte \(offset) is NUL",
            advice: "unpack or convert it first, or leave it out of the corpus")
    }

    private func forEachLine(
        of bytes: Span<UInt8>, _ body: (Span<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        var reader = JSONTextReader()
        var start = 0, line = 0
        while start < bytes.count {
            line += 1
            var end = start
            while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
            if let complaint = reader.read(bytes.extracting(start..<end)) {
                throw Failure(
                    .data, "\(path):\(line): \(complaint)",
                    advice: #"every line must be a JSON object with a text, such as {"text": "Once upon a time"}"#)
            }
            if !reader.text.isEmpty { try body(reader.text.span) }
            start = end + 1
        }
    }
}
