import Diagnostics

func trainBytePairs(
    on files: [TextFile], vocabularySize: Int, report: (String) -> Void
) throws(Failure) -> any Tokenizer {
    throw Failure(.unavailable, "byte-pair tokenizers come with the next change", advice: "use `byte`")
}
