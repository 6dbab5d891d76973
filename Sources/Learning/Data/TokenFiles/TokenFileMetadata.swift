import Diagnostics
import Tokenizers

import FoundationEssentials

/// What a token file remembers about its making, stored in it as JSON.
package struct TokenFileMetadata: Codable, Equatable, Sendable {
    /// `Tokenizer.serialized`
    package var tokenizer: String
    /// How the tokenizer was asked for, for example `bpe 4096`.
    package var tokenizerSetting: String
    /// The text files, in the order in which their tokens follow each other.
    package var sources: [TextFile]

    var encoded: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Texts and numbers always encode: `JSONEncoder` fails only on infinities.
        return (try? encoder.encode(self)).map(Array.init) ?? []
    }

    init(tokenizer: any Tokenizer, setting: String, sources: [TextFile]) {
        self.tokenizer = tokenizer.serialized
        tokenizerSetting = setting
        self.sources = sources
    }

    init(json: [UInt8], in path: String) throws(Failure) {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(json))
        } catch {
            throw Failure(
                .data, "\(path): the metadata are damaged: \(complaint(ofDecoding: error))",
                advice: "tokenize the texts again")
        }
    }
}
