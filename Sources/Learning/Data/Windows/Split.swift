import Configuration
import Diagnostics

extension TokenFile {
    /// The tokens for training and those kept from it. Files of their own are not looked at here: for them all of this
    /// file is for training.
    /// - Throws: `data` if either side of a split would be empty
    func split(_ split: ValidationSplit) throws(Failure) -> (train: TokenDataset, validation: TokenDataset?) {
        switch split {
        case .none, .files: return (TokenDataset(self), nil)
        case .tail(let share): return try splitTail(share)
        case .hash(let fraction): return try splitByHash(fraction)
        }
    }

    private func splitTail(_ share: Double) throws(Failure) -> (TokenDataset, TokenDataset?) {
        let held = Int((Double(tokenCount) * share).rounded())
        guard held > 0, held < tokenCount else {
            throw Failure(
                .data, "`tail \(share)` of \(path) leaves \(held) of \(tokenCount) tokens for validation",
                advice: "set another share in data.validation")
        }
        let cut = tokenCount - held
        return (
            TokenDataset(self, segments: [0..<cut]),
            TokenDataset(self, segments: [cut..<tokenCount])
        )
    }

    private func splitByHash(_ share: Double) throws(Failure) -> (TokenDataset, TokenDataset?) {
        let bound = UInt64(share * 0x1p64)
        let held = try documentRanges { $0 < bound }
        let kept = try documentRanges { $0 >= bound }
        guard !held.isEmpty, !kept.isEmpty else {
            throw Failure(
                .data,
                "`hash \(share)` puts \(held.isEmpty ? "none" : "all") of the \(documentCount) documents of \(path) "
                    + "into validation; a document is a file or a JSON line",
                advice: "use `tail \(share)`, which cuts by tokens, or another share")
        }
        return (TokenDataset(self, segments: kept), TokenDataset(self, segments: held))
    }
}
