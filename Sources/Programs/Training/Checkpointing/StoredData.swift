import Data

/// What a checkpoint says of the data that it was trained and validated with; nil where it says nothing or there are none.
struct StoredData: Equatable {
    var train: DataIdentity?
    var validation: DataIdentity?

    init(_ corpus: Corpus) {
        train = DataIdentity(of: corpus.train)
        validation = corpus.validation.map { DataIdentity(of: $0) }
    }

    /// What a checkpoint's `CheckpointRecord.extras` say.
    init(extras: [String: String]) {
        train = extras["train_data"].flatMap { DataIdentity($0) }
        validation = extras["validation_data"].flatMap { DataIdentity($0) }
    }

    var extras: [String: String] {
        ["train_data": train, "validation_data": validation].compactMapValues { $0?.description }
    }
}
