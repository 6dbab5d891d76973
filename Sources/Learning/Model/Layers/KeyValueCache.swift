package import Configuration
import Kernels
package import Tensors
import Threading

/// Keys and values of the first tokens of one sequence in every layer: all that a further token needs of them.
package final class KeyValueCache {
    private let layers: [Operand]
    /// Tokens that a sequence can have.
    package let context: Int
    /// Tokens of the sequence so far.
    package private(set) var count = 0

    /// - Parameter precision: of matrix products
    package init(_ model: ModelShape, _ precision: Precision) {
        context = model.context
        layers = (0..<model.layers).map { _ in
            Operand(precision, rows: model.context, columns: 2 * model.attention.keyValueWidth)
        }
    }

    /// Begins another sequence.
    package func reset() { count = 0 }

    /// What a layer reads and writes while `tokens` more tokens pass through.
    func layer(_ index: Int) -> Layer { Layer(memory: layers[index], position: count) }

    /// To be called when `tokens` more tokens have passed through all layers.
    func advance(by tokens: Int) { count += tokens }

    /// One layer's part.
    package struct Layer: Sendable {
        /// `[context, 2·keyValueHeads·headSize]`, keys (rotated) | values.
        private let memory: Operand
        /// Of the first token that comes now.
        let position: Int

        fileprivate init(memory: Operand, position: Int) {
            self.memory = memory
            self.position = position
        }

        /// - Parameter keysValues: `[tokens, 2·keyValueHeads·headSize]`, keys | values of the tokens that come now
        /// - Returns: `[position + tokens, 2·keyValueHeads·headSize]`
        func append(_ keysValues: Operand, on workers: ThreadPool) -> Operand {
            let end = position + keysValues.rows
            copyRows(keysValues, into: memory.rows(position..<end), on: workers)
            return memory.rows(0..<end)
        }
    }
}
