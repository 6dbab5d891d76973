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
            guard let own = train.flatMap(\.paths).first(where: TokenFile.isTokenFile) else {
                return ByteTokenizer().vocabularySize
            }
            return try TokenFile(own).tokenizer.vocabularySize
        }
    }

    /// Whether what the configuration names is there, as far as can be told without reading texts.
    /// - Returns: what of the directories will not be read
    /// - Throws: as preparing would
    package func requireFiles() throws(Failure) -> SkippedFiles {
        try requireDistinctTexts()
        var skipped = SkippedFiles()
        for paths in sides.map(\.paths) {
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

    /// The paths of each source of training, and of validation where it has its own, with the keys that name them.
    var sides: [(paths: [String], key: String)] {
        let sources = train.enumerated().map { index, source in
            (paths: source.paths, key: train.count == 1 ? "data.train" : "data.train[\(index)]")
        }
        guard case .files(let paths) = validation else { return sources }
        return sources + [(paths, "data.validation")]
    }

    /// - Throws: `configuration` if two sources of training have a file in common, under whatever names
    func requireDistinctTexts() throws(Failure) {
        guard train.count > 1 else { return }
        var readBy: [FileIdentity: (key: String, path: String)] = [:]
        for (paths, key) in sides.prefix(train.count) {
            for path in Set(try textFiles(at: paths, textField: textField).map(\.path)) {
                if let other = readBy.updateValue((key, path), forKey: try RegularFile(path).identity), other.key != key
                {
                    let name = other.path == path ? path : "\(path), which is also \(other.path)"
                    throw Failure(
                        .configuration, "\(other.key) and \(key) both read \(name)",
                        advice: "name every file in one source: a weight or epochs say how much of it is read")
                }
            }
        }
    }

    /// Every file that preparing this corpus reads, by the key that names it; what cannot be read is left to preparing.
    package func inputs() -> [(path: String, key: String)] {
        var inputs: [(path: String, key: String)] = []
        for (paths, key) in sides {
            inputs += ((try? filesRead(at: paths, textField: textField)) ?? paths).map { ($0, key) }
        }
        if case .file(let path, _) = tokenizer { inputs.append((path, "data.tokenizer")) }
        return inputs
    }
}

extension DataConfiguration {
    /// The files of each source of training, and of validation where it has its own.
    func preparedFiles(in directory: String) throws(Failure) -> (train: [PreparedFile], validation: PreparedFile?) {
        var files: [PreparedFile] = []
        for (index, (paths, key)) in sides.enumerated() {
            let source = train.count == 1 ? "train" : "train-\(index + 1)"
            files.append(
                try PreparedFile(
                    paths, textField: textField, in: directory, as: index < train.count ? source : "validation",
                    key: key))
        }
        return (Array(files.prefix(train.count)), files.dropFirst(train.count).first)
    }

    /// The token files that preparing makes in `directory`.
    package func tokenFiles(in directory: String) throws(Failure) -> [String] {
        let files = try preparedFiles(in: directory)
        return (files.train + [files.validation].compactMap(\.self)).filter(\.isMade).map(\.path)
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
