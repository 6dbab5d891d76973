import Randomness

extension Tokenizer {
    /// Sixteen hexadecimal digits; equal for tokenizers that give the same tokens.
    package var identity: String {
        let digits = String(digest(of: serialized), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
