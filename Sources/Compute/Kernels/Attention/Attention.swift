import KernelLoops
import MatrixProducts
package import Tensors
package import Threading

/// `o = softmax(q·kᵀ/√dHead + mask)·v` per sequence and head. The mask is 0 for the keys that a query sees, −∞ for the others: a query
/// sees the keys up to its own or, with `starts`, those of them that belong to its document. Blocks of keys that no query of a tile
/// sees are not computed.
///
/// Scores exist for one tile of queries and keys at a time (Dao et al., "FlashAttention", arXiv:2205.14135: what the
/// backward pass needs is only each row's logsumexp). A head's rows are copied side by side first, which products are
/// faster on than on windows of the micro-batch's matrices.
/// - Parameters:
///   - qkv: `[tokens, (heads + 2·keyValueHeads)·dHead]`, queries | keys | values, heads side by side, tokens sequence after
///     sequence; `heads / keyValueHeads` neighboring heads of queries read the same keys and values (Ainslie et al.,
///     arXiv:2305.13245)
///   - starts: `[tokens]`, ascending in a sequence: the position in its sequence at which each token's document begins; nil: 0
///   - o: `[tokens, heads·dHead]`
///   - logSumExp: `[heads, tokens]`
///   - scratch: one for each worker
package func attention(
    _ qkv: Operand, shape: AttentionShape, starts: Vector<Int32>? = nil, into o: Operand, logSumExp: Tensor,
    scratch: [AttentionScratch], on workers: ThreadPool
) {
    workers.tracer?.begin(.attention)
    defer { workers.tracer?.end() }
    workers.run(qkv.rows / shape.context * shape.heads) { worker, task in
        let head = AttentionHead(sequence: task / shape.heads, head: task % shape.heads, shape)
        let memory = scratch[worker]
        let (q, k, v) = memory.gather(head.split(qkv)), starts = starts?[head.tokens]
        for queries in shape.tiles {
            attend(q.rows(queries), k, v, of: shape, queries: queries, starts: starts, in: memory)
            kernelLoops.finishSoftmax(
                memory.accumulator.rows(0..<queries.count), sums: memory.sums, scale: shape.scale,
                into: head.window(o).rows(queries), logSumExp: head.row(of: logSumExp).columns(queries))
        }
    }
}

/// Leaves the softmax's numerators times the values in `accumulator`.
private func attend(
    _ q: Operand, _ k: Operand, _ v: Operand, of shape: AttentionShape, queries: Range<Int>, starts: Vector<Int32>?,
    in memory: AttentionScratch
) {
    let accumulator = memory.accumulator.rows(0..<q.rows)
    for (number, keys) in shape.keyTiles(of: queries, starts: starts).enumerated() {
        let (scores, p) = memory.first(rows: q.rows, columns: keys.count), isFirst = number == 0
        multiplyFixedShape(q.factor, k.rows(keys).transposed, into: .float32(scores))
        let visible = VisibleKeys(query: queries.lowerBound, key: keys.lowerBound, starts: starts?[queries])
        kernelLoops.softmaxNumerators(
            scores, of: visible, scale: shape.scale, into: p, sums: memory.sums, isFirst: isFirst)
        if !isFirst { kernelLoops.scaleRows(accumulator, by: memory.sums.factors) }
        multiplyFixedShape(p.factor, v.rows(keys).factor, into: .float32(accumulator), adding: !isFirst)
    }
}

/// Backward of `attention`: with `p = exp(q·kᵀ/√dHead − logSumExp)` and `δ_t = do_t·o_t`,
/// `dv = Σ pᵀ·do`, `ds = p·(do·vᵀ − δ)/√dHead`, `dq = ds·k`, `dk = Σ dsᵀ·q`, sums over the heads of queries that read the same
/// keys, in their order. One thread per sequence and head of keys.
/// - Parameters:
///   - starts: as in the forward pass
///   - dO, o: `[tokens, heads·dHead]`
///   - rotary: what queries and keys were turned by; their gradients are turned back. None if they were not turned.
///   - dQKV: `[tokens, (heads + 2·keyValueHeads)·dHead]`, overwritten
package func attentionBackward(
    _ dO: Operand, qkv: Operand, o: Operand, logSumExp: Tensor, shape: AttentionShape, starts: Vector<Int32>? = nil,
    rotary: RotaryTable?, into dQKV: Operand, scratch: [AttentionScratch], on workers: ThreadPool
) {
    workers.tracer?.begin(.attentionBackward)
    defer { workers.tracer?.end() }
    let pass = AttentionBackward(
        dO: dO, qkv: qkv, o: o, logSumExp: logSumExp, shape: shape, starts: starts, rotary: rotary, dQKV: dQKV)
    workers.run(qkv.rows / shape.context * shape.keyValueHeads) { worker, task in
        let (sequence, group) = (task / shape.keyValueHeads, task % shape.keyValueHeads)
        for place in 0..<shape.groupSize {
            let head = AttentionHead(sequence: sequence, head: group * shape.groupSize + place, shape)
            pass.backward(head, isFirstOfGroup: place == 0, in: scratch[worker])
        }
        pass.writeKeysValues(
            of: AttentionHead(sequence: sequence, head: group * shape.groupSize, shape), in: scratch[worker])
    }
}

/// What all heads of a backward pass read and write.
private struct AttentionBackward: Sendable {
    let dO: Operand
    let qkv: Operand
    let o: Operand
    let logSumExp: Tensor
    let shape: AttentionShape
    let starts: Vector<Int32>?
    let rotary: RotaryTable?
    let dQKV: Operand

    /// The gradient of a head's queries, and its part of `dKeys` and `dValues`.
    /// - Parameter isFirstOfGroup: whether it overwrites these two
    func backward(_ head: AttentionHead, isFirstOfGroup: Bool, in memory: AttentionScratch) {
        let (q, k, v) = memory.gather(head.split(qkv)), dq = head.window(dQKV)
        let outer = memory.dO.rows(0..<shape.context)
        kernelLoops.copyRows(head.window(dO), into: outer)
        let starts = starts?[head.tokens]
        if isFirstOfGroup, starts != nil { memory.clearSumsOverQueries() }
        // Without documents the last tile sees every key, so that of the first head writes dk and dv whole and the others add.
        for queries in shape.tiles.reversed() {
            kernelLoops.rowProducts(outer.rows(queries), head.window(o).rows(queries), into: memory.deltas)
            let tile = BackwardTile(
                queries: queries, starts: starts?[queries],
                overwrites: isFirstOfGroup && starts == nil && queries.upperBound == shape.context,
                scale: shape.scale, logSumExp: head.row(of: logSumExp).columns(queries))
            for (number, keys) in shape.keyTiles(of: queries, starts: starts).enumerated() {
                tile.backward(
                    keys, isFirst: number == 0, q: q.rows(queries), k: k, v: v, dO: outer.rows(queries), in: memory)
            }
            let dQueries = Operand.float32(memory.accumulator.rows(0..<queries.count))
            rotary?.rotate(
                dQueries, first: queries.lowerBound, context: shape.context, starts: starts?[queries], inverse: true)
            kernelLoops.copyRows(dQueries, into: dq.rows(queries))
        }
    }

    /// Moves the sums over a group's heads to where the gradients of its keys and values lie.
    /// - Parameter head: any of the group
    func writeKeysValues(of head: AttentionHead, in memory: AttentionScratch) {
        let (_, dk, dv) = head.split(dQKV)
        let dKeys = Operand.float32(memory.dKeys.rows(0..<shape.context))
        rotary?.rotate(dKeys, first: 0, context: shape.context, starts: starts?[head.tokens], inverse: true)
        kernelLoops.copyRows(dKeys, into: dk)
        kernelLoops.copyRows(.float32(memory.dValues.rows(0..<shape.context)), into: dv)
    }
}

/// A tile of queries on its way back.
private struct BackwardTile {
    let queries: Range<Int>
    /// `[queries]`
    let starts: Vector<Int32>?
    /// Whether it writes `dKeys` and `dValues`, where others add.
    let overwrites: Bool
    let scale: Float
    /// `[1, queries]`
    let logSumExp: Tensor

    /// One tile of keys: adds to `dKeys`, `dValues` and, for dq, `accumulator`.
    /// - Parameter isFirst: whether it overwrites `accumulator`
    func backward(
        _ keys: Range<Int>, isFirst: Bool, q: Operand, k: Operand, v: Operand, dO: Operand, in memory: AttentionScratch
    ) {
        let (scores, p) = memory.first(rows: q.rows, columns: keys.count)
        let (dP, ds) = memory.second(rows: q.rows, columns: keys.count)
        multiplyFixedShape(q.factor, k.rows(keys).transposed, into: .float32(scores))
        multiplyFixedShape(dO.factor, v.rows(keys).transposed, into: .float32(dP))
        let visible = VisibleKeys(query: queries.lowerBound, key: keys.lowerBound, starts: starts)
        kernelLoops.scoresBackward(
            scores, dP, of: visible, deltas: memory.deltas, scale: scale, logSumExp: logSumExp, into: p, ds)
        multiplyFixedShape(p.transposed, dO.factor, into: .float32(memory.dValues.rows(keys)), adding: !overwrites)
        multiplyFixedShape(ds.transposed, q.factor, into: .float32(memory.dKeys.rows(keys)), adding: !overwrites)
        multiplyFixedShape(
            ds.factor, k.rows(keys).factor, into: .float32(memory.accumulator.rows(0..<q.rows)),
            adding: !isFirst)
    }
}

extension AttentionScratch {
    /// Copies of a head's queries, keys and values.
    fileprivate func gather(_ head: (q: Operand, k: Operand, v: Operand)) -> (Operand, Operand, Operand) {
        let rows = 0..<head.q.rows
        for (source, target) in [(head.q, q), (head.k, k), (head.v, v)] {
            kernelLoops.copyRows(source, into: target.rows(rows))
        }
        return (q.rows(rows), k.rows(rows), v.rows(rows))
    }
}
