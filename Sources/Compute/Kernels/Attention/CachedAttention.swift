package import Tensors
package import Threading

/// The last row of `attention`: `o = softmax(q·kᵀ/√dHead)·v` per head, of one token that sees all keys there are.
///
/// A head's keys and values are read once each; memory is the limit, so nothing is gained by a library's products.
/// Probabilities stay in float32, where `attention` rounds them.
/// - Parameters:
///   - query: `[1, heads·dHead]`, heads side by side
///   - keysValues: `[seen, 2·keyValueHeads·dHead]`, keys | values of the tokens so far, this one's included
///   - shape: its context is the most that `scratch` holds
///   - o: `[1, heads·dHead]`
///   - scratch: one for each worker
package func attention(
    ofLast query: Operand, keysValues: Operand, shape: AttentionShape, into o: Operand, scratch: [AttentionScratch],
    on workers: ThreadPool
) {
    workers.tracer?.begin(.attention)
    defer { workers.tracer?.end() }
    let width = shape.keyValueWidth, seen = keysValues.rows
    workers.run(shape.heads) { worker, head in
        let columns = head * shape.headSize..<(head + 1) * shape.headSize
        let start = head / shape.groupSize * shape.headSize, read = start..<start + shape.headSize
        let keys = keysValues.columns(read), values = keysValues.columns(width..<2 * width).columns(read)
        let memory = scratch[worker]
        // Memory of the backward pass, which is not under way.
        let weights = memory.dKeys.reshaped(rows: 1, columns: seen), sums = memory.accumulator.rows(0..<1)
        let q = query.columns(columns), out = o.columns(columns)
        switch (q, keys, values, out) {
        case (.float32(let q), .float32(let k), .float32(let v), .float32(let out)):
            attend(q, k, v, shape.scale, weights: weights, sums: sums, into: out)
        case (.bfloat16(let q), .bfloat16(let k), .bfloat16(let v), .bfloat16(let out)):
            attend(q, k, v, shape.scale, weights: weights, sums: sums, into: out)
        default: preconditionFailure("operands of different precisions")
        }
    }
}

/// - Parameters:
///   - q, out: `[1, dHead]`
///   - keys, values: `[seen, dHead]`
///   - weights: `[1, seen]`, scratch
///   - sums: `[1, dHead]`, scratch
private func attend<Element: MatrixElement>(
    _ q: Matrix<Element>, _ keys: Matrix<Element>, _ values: Matrix<Element>, _ scale: Float, weights: Tensor,
    sums: Tensor, into out: Matrix<Element>
) {
    var weight = unsafe weights.unsafeMutableRow(0), answer = unsafe sums.unsafeMutableRow(0),
        result = unsafe out.unsafeMutableRow(0)
    for t in 0..<keys.rows { weight[t] = dot(q.row(0), keys.row(t)) }
    let top = maximum(weights.row(0))
    for t in 0..<weight.count { weight[t] = exponential((weight[t] - top) * scale) }
    let total = sum(weights.row(0))
    answer.update(repeating: 0)
    for t in 0..<values.rows {
        let factor = weight[t], value = values.row(t)
        for i in 0..<answer.count { answer[i] += factor * value[i].float }
    }
    let reciprocal = 1 / total
    for i in 0..<answer.count { result[i] = Element(rounding: answer[i] * reciprocal) }
}
