package import Tensors
import VectorLoops
package import Workers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Cosines and sines of `position · base^(−2i/dHead)`, for `i < dHead/2`. Su et al., "RoFormer" (arXiv:2104.09864),
/// section 3.2.2.
package struct RotaryTable: Sendable {
    /// `[context, dHead/2]`
    package let cosine: Tensor
    package let sine: Tensor

    package init(context: Int, headDimension: Int, base: Double) {
        let half = headDimension / 2
        cosine = Tensor(rows: context, columns: half)
        sine = Tensor(rows: context, columns: half)
        for position in 0..<context {
            for i in 0..<half {
                let angle = Double(position) * pow(base, -2 * Double(i) / Double(headDimension))
                cosine[position, i] = Float(cos(angle))
                sine[position, i] = Float(sin(angle))
            }
        }
    }
}

/// Turns queries and keys by their positions, in place ("rotate-half": pairs are (i, i + dHead/2)):
/// `(a, b) ← (a·cos − b·sin, b·cos + a·sin)`; with `inverse`, back by the same angle, which is the backward pass.
/// - Parameters:
///   - queriesKeys: `[tokens, ≥ 2·dModel]`, queries in the first dModel columns, keys in the next
///   - context: tokens of one sequence; a token's position is its row modulo `context`
package func rotate(
    _ queriesKeys: Operand, heads: Int, headDimension: Int, context: Int, table: RotaryTable, inverse: Bool,
    on workers: Workers
) {
    let queriesKeys = queriesKeys.columns(0..<2 * heads * headDimension), direction: Float = inverse ? -1 : 1
    workers.run(over: queriesKeys.rows, tile: rowTile) { rows in
        loops.rotate(
            queriesKeys.rows(rows), first: rows.lowerBound % context, cosine: table.cosine.rows(0..<context),
            sine: table.sine.rows(0..<context), direction: direction)
    }
}
