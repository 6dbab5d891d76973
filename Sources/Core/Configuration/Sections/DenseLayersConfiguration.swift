package import Diagnostics

/// Layers that have one feed-forward for all tokens in place of a router and experts.
package struct DenseLayersConfiguration: Sendable, Equatable {
    /// Their numbers, from 0.
    package let layers: Set<Int>
    /// Hidden units of their feed-forward; 0 if there are none.
    package let hiddenSize: Int

    /// No such layers.
    package static let none = DenseLayersConfiguration([], hiddenSize: 0)

    package init(_ layers: Set<Int>, hiddenSize: Int) {
        self.layers = layers
        self.hiddenSize = layers.isEmpty ? 0 : hiddenSize
    }

    /// As `model.dense_layers` has it: how many, if they are the first, else their numbers.
    package var description: String {
        layers == Set(0..<layers.count) ? "\(layers.count)" : "\(layers.sorted())"
    }

    /// - Parameters:
    ///   - section: `model`
    ///   - count: layers of the model
    ///   - hiddenSize: what `auto` stands for
    /// - Throws: `configuration` for layers that the model does not have, and if none is left for the experts
    init(reading section: ConfigurationSection, layers count: Int, hiddenSize: Int) throws(Failure) {
        let given = try section.firstOrListed("dense_layers", "layers", count: count)
        let dense = Set(given)
        guard given.count < count else {
            throw section.failure(
                "dense_layers", "leaves none of the \(count) layers to the experts",
                advice: "a model without experts has `experts: 1` and no dense_layers")
        }
        guard dense.count == given.count, dense.allSatisfy((0..<count).contains) else {
            throw section.failure(
                "dense_layers", "is \(given); allowed are numbers from 0 to \(count - 1), each once")
        }
        let size =
            try section.integer("dense_hidden_size", automatic: hiddenSize, in: 1...mostUnroutedHiddenUnits)
            ?? hiddenSize
        self.init(dense, hiddenSize: size)
        section.record("dense_layers", asWritten: description)
        let isSized = section.contains("dense_hidden_size") && !section.isWord("dense_hidden_size", "auto")
        guard !dense.isEmpty || !isSized else {
            throw section.failure(
                "dense_hidden_size", "has no effect without dense layers", advice: "set model.dense_layers")
        }
    }
}
