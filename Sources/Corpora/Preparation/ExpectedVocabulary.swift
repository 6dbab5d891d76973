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
}
