/// A rule that cuts text into pre-tokens, which are encoded each by itself. Every rule takes all of a text.
///
/// The raw value names it in stored tokenizers.
package enum PreTokenPattern: String, Sendable, CaseIterable {
    /// Radford et al., "Language Models are Unsupervised Multitask Learners" (2019), `encoder.py` of its code. tiktoken's
    /// `r50k_base` and `p50k_base` write it in another way.
    case gpt2
    /// Numbers are cut out first, each digit by itself: `Digits(individual_digits: true)` before `ByteLevel`.
    case gpt2Digit = "gpt2-digit"
    /// Numbers are cut out first, each run of digits: `Digits(individual_digits: false)` before `ByteLevel`.
    case gpt2Digits = "gpt2-digits"
    /// Llama 3's `tokenizer.py`, and tiktoken's `cl100k_base` as it was published.
    case llama3
    /// `cl100k_base` of tiktoken 0.14: as `llama3`, but white space at the end of a text stays whole.
    case cl100k
    /// Qwen 2: as `llama3`, but each digit by itself.
    case qwen2
    /// tiktoken's `o200k_base`: words end where upper case follows lower case.
    case o200k
    /// Vocabularies of SentencePiece: runs of `▁` and what follows them. Not theirs, which cut nothing, but where no token of theirs
    /// reaches over.
    case metaspace

    /// The same pre-tokens by Oniguruma, with which Hugging Face `tokenizers` matches: there `{1,3}+` is not possessive, and `$` also
    /// ends a line.
    package var onigurumaExpression: String {
        guard self == .cl100k else { return expression }
        return
            "\(Self.contractions)|\(Self.word)|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s+\\z|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
    }

    private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
    private static let word = #"[^\r\n\p{L}\p{N}]?\p{L}+"#
    private static let symbolsAndSpace = #" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    private static let upper = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
    private static let lower = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#

    /// The regular expression whose matches are the pre-tokens, as the programs that define it write it. Of the patterns
    /// with `Digits`: that of what is left between the numbers.
    package var expression: String {
        switch self {
        case .gpt2, .gpt2Digit, .gpt2Digits:
            #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
        case .llama3: "\(Self.contractions)|\(Self.word)|\\p{N}{1,3}|\(Self.symbolsAndSpace)"
        case .qwen2: "\(Self.contractions)|\(Self.word)|\\p{N}|\(Self.symbolsAndSpace)"
        case .cl100k:
            #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|"#
                + #"\s+(?!\S)|\s"#
        case .metaspace: "▁*[^▁]+|▁+"
        case .o200k:
            #"[^\r\n\p{L}\p{N}]?\#(Self.upper)*\#(Self.lower)+\#(Self.contractions)?|"#
                + #"[^\r\n\p{L}\p{N}]?\#(Self.upper)+\#(Self.lower)*\#(Self.contractions)?|"#
                + #"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
        }
    }
}
