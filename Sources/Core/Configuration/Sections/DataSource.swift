import Diagnostics

/// One source of training text, tokenized into one file. A list of paths is one source, which is repeated as long as the run lasts.
package struct DataSource: Sendable, Equatable {
    /// How much of the run a source gives.
    package enum Amount: Sendable, Equatable {
        /// So many parts of the run's tokens, of the weights of all sources; more than one epoch only if it `repeats`.
        case weight(Double, repeats: Bool)
        /// So many epochs in the whole run.
        case epochs(Double)

        /// 0 if the amount is in epochs.
        package var weight: Double { if case .weight(let weight, _) = self { weight } else { 0 } }
    }

    /// Text files, directories of them, or one token file.
    package var paths: [String]
    package var amount: Amount

    package init(paths: [String], amount: Amount = .weight(1, repeats: true)) {
        self.paths = paths
        self.amount = amount
    }

    /// A block of `data.train`.
    init(_ block: ConfigurationSection) throws(Failure) {
        if !block.contains("paths"),
            let near = block.givenKeys.first(where: { nearestName(to: $0, among: ["paths"]) != nil })
        {
            throw block.failure(near, "is unknown", advice: "did you mean `paths`?")
        }
        paths = try block.filePaths("paths")
        guard !paths.isEmpty else { throw block.failure("paths", "names no file") }
        switch (block.contains("weight"), block.contains("epochs")) {
        case (true, false):
            let weight = try Self.positive("weight", in: block)
            amount = .weight(weight, repeats: try block.boolean("repeat", default: false))
        case (false, true):
            guard !block.contains("repeat") else {
                throw block.failure(
                    "repeat", "stands beside `epochs`, which says how often the source is repeated",
                    advice: "leave repeat out, or give a weight instead of epochs")
            }
            amount = .epochs(try Self.positive("epochs", in: block))
        case (let both, _):
            throw block.failure(
                both ? "weight" : "paths", both ? "stands beside `epochs`" : "has neither a weight nor epochs",
                advice:
                    "give one of the two: weight, a part of the run's tokens, or epochs, how often the source is read")
        }
    }

    private static func positive(_ key: String, in block: ConfigurationSection) throws(Failure) -> Double {
        let value = try block.number(key, in: -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude)
        guard (1e-6...1e6).contains(value) else {
            throw block.failure(
                key, "is \(value); allowed are numbers from 1e-6 to 1e6",
                advice: "leave out a source that is not to be used")
        }
        return value
    }

    /// What `data.train` names: paths, or blocks with weights or epochs.
    static func list(in section: ConfigurationSection) throws(Failure) -> [DataSource] {
        let key = "train"
        guard section.holdsBlocks(key) else {
            let paths = try section.filePaths(key)
            guard !paths.isEmpty else { throw section.failure(key, "names no file") }
            return [DataSource(paths: paths)]
        }
        let sources = try section.blocks(key) { block throws(Failure) in try DataSource(block) }
        let byEpochs = sources.filter { if case .epochs = $0.amount { true } else { false } }
        guard byEpochs.isEmpty || byEpochs.count == sources.count else {
            throw section.failure(
                key, "gives a weight to some sources and epochs to others",
                advice: "give all of them weights, or all of them epochs")
        }
        var seen: Set<String> = []
        for path in sources.flatMap(\.paths) where !seen.insert(path).inserted {
            throw section.failure(
                key, "names `\(path)` twice", advice: "name it once: a weight or epochs say how much of it is read")
        }
        return sources
    }
}
