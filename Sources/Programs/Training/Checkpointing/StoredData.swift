import Data

/// What a checkpoint says of the data that it was trained and validated with, source by source; empty where it says nothing or there
/// are none.
struct StoredData: Equatable {
    var train: [DataIdentity]
    var validation: [DataIdentity]

    init(_ corpus: Corpus) {
        train = corpus.train.map { DataIdentity(of: $0) }
        validation = corpus.validation.map { DataIdentity(of: $0) }
    }

    /// What a checkpoint's `CheckpointRecord.extras` say.
    init(extras: [String: String]) {
        train = [DataIdentity](extras["train_data"])
        validation = [DataIdentity](extras["validation_data"])
    }

    var extras: [String: String] {
        ["train_data": train, "validation_data": validation].filter { !$0.value.isEmpty }.mapValues(\.text)
    }
}

extension [DataIdentity] {
    private static var separator: String { "; " }

    /// From `text`; none if it is nil or something else.
    fileprivate init(_ text: String?) {
        let parts = (text ?? "").split(separator: Self.separator).map { DataIdentity(String($0)) }
        self = parts.contains(nil) ? [] : parts.compactMap(\.self)
    }

    /// `TOKENS tokens, BYTES bytes, digest DIGEST` of each.
    var text: String { map(\.description).joined(separator: Self.separator) }
}
