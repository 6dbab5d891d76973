import Data

/// What a checkpoint says of the data that it was trained and validated with, source by source; empty where it says nothing or there
/// are none.
struct StoredData: Equatable {
    var train: [DataIdentity]
    var validation: [DataIdentity]
    /// The step after which training went on with these training data instead of others; 0: from the beginning, as far as known.
    var trainedSince = 0

    init(_ corpus: Corpus) {
        train = corpus.train.map { DataIdentity(of: $0) }
        validation = corpus.validation.map { DataIdentity(of: $0) }
    }

    /// What a checkpoint's `CheckpointRecord.extras` say.
    init(extras: [String: String]) {
        train = [DataIdentity](extras["train_data"])
        validation = [DataIdentity](extras["validation_data"])
        trainedSince = extras["train_data_since"].flatMap { Int($0) } ?? 0
    }

    var extras: [String: String] {
        var extras = ["train_data": train, "validation_data": validation].filter { !$0.value.isEmpty }
            .mapValues(\.text)
        if trainedSince > 0 { extras["train_data_since"] = "\(trainedSince)" }
        return extras
    }

    /// The step after which these data took the place of others, in a run that goes on from a checkpoint.
    /// - Parameter extras: of the checkpoint, which is of `step`
    func since(_ extras: [String: String], of step: Int) -> Int {
        let earlier = StoredData(extras: extras)
        return earlier.train.isEmpty || earlier.train == train ? earlier.trainedSince : step
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
