import KernelLoops
import Platform
package import Tensors

/// Cosines and sines of `position · base^(−2i/dHead)`, for `i < dHead/2`. Su et al., "RoFormer" (arXiv:2104.09864),
/// section 3.2.2.
package struct RotaryTable: Sendable {
    /// `[context, dHead/2]`
    package let cosine: Tensor
    package let sine: Tensor

    package init(context: Int, headSize: Int, base: Double) {
        let half = headSize / 2
        cosine = Tensor(rows: context, columns: half)
        sine = Tensor(rows: context, columns: half)
        for position in 0..<context {
            for i in 0..<half {
                let angle = Double(position) * pow(base, -2 * Double(i) / Double(headSize))
                cosine[position, i] = Float(cos(angle))
                sine[position, i] = Float(sin(angle))
            }
        }
    }

    private init(cosine: Tensor, sine: Tensor) {
        self.cosine = cosine
        self.sine = sine
    }

    /// The table of a sequence whose first token stands at `position`.
    package func starting(at position: Int) -> RotaryTable {
        let rows = position..<cosine.rows
        return RotaryTable(cosine: cosine.rows(rows), sine: sine.rows(rows))
    }

    /// Turns heads side by side by their rows' positions, in place ("rotate-half": pairs are (i, i + dHead/2)):
    /// `(a, b) ← (a·cos − b·sin, b·cos + a·sin)`; with `inverse`, back by the same angles, which is the backward pass.
    /// On the calling thread: for rows of a product that was just computed.
    /// - Parameters:
    ///   - x: `[rows, heads·dHead]`, of queries or keys or both
    ///   - first: the first row's number; a token's position is its row's number modulo `context`, that of one sequence
    package func rotate(_ x: Operand, first: Int, context: Int, inverse: Bool = false) {
        kernelLoops.rotate(
            x, first: first % context, cosine: cosine.rows(0..<context), sine: sine.rows(0..<context),
            direction: inverse ? -1 : 1)
    }
}
