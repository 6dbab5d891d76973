import Configuration
import Diagnostics

extension TokenFile {
    /// The tokens for training and those kept from it. Files of their own are not looked at here: for them all of this
    /// file is for training.
    /// - Throws: `data` if one side of a split would be empty
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

    /// Few documents may all lie on one side of the bound, by chance: then the one next to it, with its copies, is the other side.
    private func splitByHash(_ share: Double) throws(Failure) -> (TokenDataset, TokenDataset?) {
        var lowest = UInt64.max, highest = UInt64.min
        _ = try documentRanges { digest in
            (lowest, highest) = (min(lowest, digest), max(highest, digest))
            return true
        }
        guard lowest < highest else {
            let reason = documentCount == 1 ? "it is one document" : "its documents are all alike"
            throw Failure(
                .data, "`hash \(share)` cannot divide \(path): \(reason); a document is a file or a JSON line",
                advice: "use `tail \(share)`, which cuts by tokens")
        }
        let bound = min(max(UInt64(share * 0x1p64), lowest + 1), highest)
        return (
            TokenDataset(self, segments: try documentRanges { $0 >= bound }),
            TokenDataset(self, segments: try documentRanges { $0 < bound })
        )
    }
}
