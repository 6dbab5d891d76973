import KernelLoops
import Platform
package import Tensors

/// Cosines and sines of `position · θ_i` for the pairs of a head that turn. Su et al., "RoFormer" (arXiv:2104.09864), section
/// 3.2.2.
package struct RotaryTable: Sendable {
    /// Columns of a head, the first `2·pairs` of which turn.
    package let headSize: Int
    /// `[context, pairs]`
    package let cosine: Tensor
    package let sine: Tensor

    /// - Parameters:
    ///   - context: positions
    ///   - headSize: columns of a head
    ///   - frequencies: θ_i of each pair, at most headSize / 2
    ///   - magnitude: by what all are multiplied
    package init(context: Int, headSize: Int, frequencies: [Double], magnitude: Double = 1) {
        precondition(2 * frequencies.count <= headSize, "more pairs than a head has")
        let half = frequencies.count
        self.headSize = headSize
        cosine = Tensor(rows: context, columns: half)
        sine = Tensor(rows: context, columns: half)
        for position in 0..<context {
            for i in 0..<half {
                let angle = Double(position) * frequencies[i]
                cosine[position, i] = Float(magnitude * cos(angle))
                sine[position, i] = Float(magnitude * sin(angle))
            }
        }
    }

    private init(headSize: Int, cosine: Tensor, sine: Tensor) {
        self.headSize = headSize
        self.cosine = cosine
        self.sine = sine
    }

    /// The table of a sequence whose first token stands at `position`.
    package func starting(at position: Int) -> RotaryTable {
        let rows = position..<cosine.rows
        return RotaryTable(headSize: headSize, cosine: cosine.rows(rows), sine: sine.rows(rows))
    }

    /// Turns heads side by side by their rows' positions, in place ("rotate-half": pairs are (i, i + pairs)):
    /// `(a, b) ← (a·cos − b·sin, b·cos + a·sin)`; with `inverse`, back by the same angles, which is the backward pass.
    /// On the calling thread: for rows of a product that was just computed.
    /// - Parameters:
    ///   - x: `[rows, heads·dHead]`, of queries or keys or both
    ///   - first: the first row's number; a token's place is its row's number modulo `context`, that of one sequence
    ///   - starts: `[rows]`: the place of the first token of each row's document, from which its position counts; nil: 0
    package func rotate(
        _ x: Operand, first: Int, context: Int, starts: Vector<Int32>? = nil, inverse: Bool = false
    ) {
        kernelLoops.rotate(
            x, headSize: headSize, first: first % context, starts: starts, cosine: cosine.rows(0..<context),
            sine: sine.rows(0..<context),
            direction: inverse ? -1 : 1)
    }
}
