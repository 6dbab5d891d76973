import Configuration
package import Diagnostics
import Platform
import Tokenizers

extension DataConfiguration {
    /// The vocabulary that preparing this corpus will give, without preparing it.
    package func expectedVocabulary() throws(Failure) -> Int {
        switch tokenizer {
        case .bytePairs(let size):
            return size
        case .file(let path, let documentToken):
            return TokenFile.isTokenFile(path)
                ? try TokenFile(path).tokenizer.vocabularySize
                : try readTokenizer(inFile: path, documentToken: documentToken).vocabularySize
        case .automatic, .bytes:
            guard let first = train.first, TokenFile.isTokenFile(first) else { return ByteTokenizer().vocabularySize }
            return try TokenFile(first).tokenizer.vocabularySize
        }
    }

    /// Whether what the configuration names is there, as far as can be told without reading texts.
    /// - Returns: what of the directories will not be read
    /// - Throws: as preparing would
    package func requireFiles() throws(Failure) -> SkippedFiles {
        var skipped = SkippedFiles()
        for paths in sides {
            if let file = paths.first, TokenFile.isTokenFile(file) {
                _ = try TokenFile(file)
            } else {
                let listing = try listTexts(at: paths, textField: textField)
                if listing.files.allSatisfy({ $0.bytes == 0 }) { try requireText(0, in: listing.files) }
                try requireReaders(for: listing.files) { _ in }
                skipped.add(listing.skipped)
            }
        }
        return skipped
    }

    /// The paths of training and of validation, where that has its own.
    private var sides: [[String]] {
        guard case .files(let paths) = validation else { return [train] }
        return [train, paths]
    }

    /// Every file that preparing this corpus reads, by the key that names it; what cannot be read is left to preparing.
    package func inputs() -> [(path: String, key: String)] {
        var inputs: [(path: String, key: String)] = []
        for (paths, key) in zip(sides, ["data.train", "data.validation"]) {
            inputs += ((try? filesRead(at: paths, textField: textField)) ?? paths).map { ($0, key) }
        }
        if case .file(let path, _) = tokenizer { inputs.append((path, "data.tokenizer")) }
        return inputs
    }
}

extension DataConfiguration {
    /// The files of training and of validation, where that has its own.
    func preparedFiles(in directory: String) throws(Failure) -> [PreparedFile] {
        var files: [PreparedFile] = []
        for (paths, name) in zip(sides, ["train", "validation"]) {
            files.append(try PreparedFile(paths, textField: textField, in: directory, as: name, key: "data.\(name)"))
        }
        return files
    }

    /// The token files that preparing makes in `directory`.
    package func tokenFiles(in directory: String) throws(Failure) -> [String] {
        try preparedFiles(in: directory).filter(\.isMade).map(\.path)
    }
}

/// What `paths` stand for when they are read: directories and the texts in them, and of another trainer's tokens all parts.
/// - Parameters:
///   - paths: as in `data.train`
///   - textField: the field that holds the texts, if it was named
package func filesRead(at paths: [String], textField: String? = nil) throws(Failure) -> [String] {
    if let file = paths.first, TokenFile.isTokenFile(file) { return paths }
    return try matchingPaths(paths)
        + textFiles(at: paths, textField: textField).flatMap { file in
            file.holdsTokens ? [file.path] + ForeignTokenFile.parts(of: file.path) : [file.path]
        }
}
