import Diagnostics
import Randomness

extension Tokenizer {
    /// Sixteen hexadecimal digits; equal for tokenizers that give the same tokens.
    package var identity: String {
        hexadecimal(digest(of: serialized))
    }
}
