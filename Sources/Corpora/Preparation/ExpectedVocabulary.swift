package import Diagnostics

extension DataSettings {
    /// The vocabulary that preparing this corpus will give, without preparing it.
    package func expectedVocabulary() throws(Failure) -> Int {
        switch tokenizer {
        case .bytePairs(let size):
            return size
        case .file(let path):
            return TokenFile.isTokenFile(path)
                ? try TokenFile(path).tokenizer.vocabularySize : try readTokenizer(inFile: path).vocabularySize
        case .automatic, .bytes:
            guard let first = train.first, TokenFile.isTokenFile(first) else { return ByteTokenizer().vocabularySize }
            return try TokenFile(first).tokenizer.vocabularySize
        }
    }

    /// Whether what the configuration names is there, as far as can be told without reading texts.
    /// - Throws: as preparing would
    package func requireFiles() throws(Failure) {
        var sides = [train]
        if case .files(let paths) = validation { sides.append(paths) }
        for paths in sides {
            if let file = paths.first, TokenFile.isTokenFile(file) {
                _ = try TokenFile(file)
            } else {
                let files = try textFiles(at: paths)
                if files.allSatisfy({ $0.bytes == 0 }) { try requireText(0, in: files) }
            }
        }
    }
}
