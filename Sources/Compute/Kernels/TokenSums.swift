import Tensors
import Threading

/// Tokens whose contributions are added up by one task.
private let tokenBlock = 256

/// Rows of scratch memory that a sum over `tokens` tokens needs: one for each task.
package func partialSumRows(tokens: Int) -> Int { max(1, (tokens + tokenBlock - 1) / tokenBlock) }

/// `sums (+)= Σ_t contribution of token t`: within blocks of tokens in token order, then block after block, so that the
/// bits are a function of the number of tokens alone.
/// - Parameters:
///   - sums: `[1, columns]`, overwritten, or added to if `adding`
///   - parts: `[≥ partialSumRows(tokens), columns]`, scratch
///   - contribute: adds what token `t` contributes
@inline(__always)
func sumOverTokens(
    _ tokens: Int, into sums: Tensor, adding: Bool, parts: Tensor, on workers: ThreadPool,
    _ contribute: @Sendable (_ t: Int, _ sums: inout MutableSpan<Float>) -> Void
) {
    let blocks = partialSumRows(tokens: tokens)
    workers.run(blocks) { _, block in
        var part = unsafe parts.unsafeMutableRow(block)
        part.update(repeating: 0)
        for t in block * tokenBlock..<min((block + 1) * tokenBlock, tokens) { contribute(t, &part) }
    }
    var out = unsafe sums.unsafeMutableRow(0)
    for block in 0..<blocks {
        let part = parts.row(block)
        if block == 0 && !adding {
            out.update(from: part)
        } else {
            for i in 0..<part.count { out[i] += part[i] }
        }
    }
}
