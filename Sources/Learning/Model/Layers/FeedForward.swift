import Kernels
import MatrixProducts
package import Tensors

/// Rows of one micro-batch that are multiplied by the same matrix of each weight.
package struct RowGroup: Sendable {
    package let rows: Range<Int>
    /// The index of the matrix in this rank's part of the weights: an expert, or 0 in a dense feed-forward.
    package let matrix: Int

    package init(rows: Range<Int>, matrix: Int) {
        self.rows = rows
        self.matrix = matrix
    }
}

/// The gated feed-forward `y = (silu(x·W_gate) ⊙ (x·W_up))·W_down`, with one or several matrices in each weight.
///
/// It knows rows and matrices, but no exchange: a dense feed-forward has one group of rows, routed experts have one for
/// each source micro-batch and local expert. Every product is that of one group, so its shape and bits do not depend on
/// which ranks' rows are received together.
package struct FeedForward: Sendable {
    private let gateUp: ParameterID
    private let down: ParameterID

    /// What a feed-forward keeps for its backward pass, besides its input.
    package struct Activations: Sendable {
        /// `[rows, 2·hidden]`, gate | up; their gradients after the backward pass.
        package let gateUp: Operand
        /// `[rows, hidden]`
        package let hidden: Operand

        package init(rows: Int, hidden count: Int, _ precision: Precision) {
            gateUp = Operand(precision, rows: rows, columns: 2 * count)
            hidden = Operand(precision, rows: rows, columns: count)
        }

        /// The same memory for no more hidden units.
        func narrowed(toHidden count: Int) -> Activations { Activations(self, count) }

        private init(_ wide: Activations, _ count: Int) {
            gateUp = wide.gateUp.reshaped(rows: wide.gateUp.rows, columns: 2 * count)
            hidden = wide.hidden.reshaped(rows: wide.hidden.rows, columns: count)
        }
    }

    /// - Parameters:
    ///   - name: the prefix of the weights' names, such as `blocks.3.experts`
    ///   - layout: the layout that has them
    package init(_ name: String, _ layout: ParameterLayout) {
        gateUp = layout.id("\(name).gate_up")
        down = layout.id("\(name).down")
    }

    /// Computes the rows of `groups`.
    /// - Parameters:
    ///   - x: `[rows, dModel]`
    ///   - y: `[rows, dModel]`, overwritten, or added to if `adding`
    package func forward(
        _ x: Operand, _ groups: [RowGroup], into y: Operand, adding: Bool = false, saving saved: Activations,
        in pass: ForwardContext
    ) {
        let parameters = pass.parameters
        let first = groups.map { group in
            let gateUps = saved.gateUp.rows(group.rows), hidden = saved.hidden.rows(group.rows)
            return ProductJob(
                x.rows(group.rows).factor, parameters.operand(gateUp, matrix: group.matrix, like: x).factor,
                into: gateUps
            ) { swiGLU(gateUps.rows($0), into: hidden.rows($0)) }
        }
        multiply(first, on: pass.pool)
        let second = groups.map { group in
            ProductJob(
                saved.hidden.rows(group.rows).factor, parameters.operand(down, matrix: group.matrix, like: x).factor,
                into: y.rows(group.rows), adding: adding)
        }
        multiply(second, on: pass.pool)
    }

    /// Computes the input's gradients, and adds to the weights' gradients.
    /// - Parameters:
    ///   - dy: `[rows, dModel]`, the gradients of the outputs
    ///   - x: `[rows, dModel]`, the input of the forward pass
    ///   - dx: `[rows, dModel]`, overwritten, or added to if `adding`; it may be `dy`
    package func backward(
        _ dy: Operand, _ groups: [RowGroup], input x: Operand, into dx: Operand, adding: Bool = false,
        saved: Activations, in pass: BackwardContext
    ) {
        let parameters = pass.parameters
        let scratch = pass.workspace.scratch.dHidden.reshaped(rows: saved.hidden.rows, columns: saved.hidden.columns)
        let first = groups.map { group in
            let dHidden = scratch.rows(group.rows), gateUps = saved.gateUp.rows(group.rows)
            return ProductJob(
                dy.rows(group.rows).factor, parameters.operand(down, matrix: group.matrix, like: dy).transposed,
                into: dHidden
            ) { swiGLUBackward(dHidden.rows($0), replacing: gateUps.rows($0)) }
        }
        multiply(first, on: pass.pool)
        accumulate(down, groups, input: saved.hidden, output: dy, in: pass)
        accumulate(gateUp, groups, input: x, output: saved.gateUp, in: pass)
        let second = groups.map { group in
            ProductJob(
                saved.gateUp.rows(group.rows).factor,
                parameters.operand(gateUp, matrix: group.matrix, like: dy).transposed,
                into: dx.rows(group.rows), adding: adding)
        }
        multiply(second, on: pass.pool)
    }

    /// `dW_m += inputᵀ·output` group by group, so that exact mode sees every micro-batch's gradient whole.
    private func accumulate(
        _ weight: ParameterID, _ groups: [RowGroup], input: Operand, output: Operand, in pass: BackwardContext
    ) {
        for run in consecutiveRuns(groups) {
            let matrices = run.first!.matrix..<run.last!.matrix + 1
            pass.gradients.accumulate(weight, matrices: matrices, on: pass.pool) { target in
                let jobs = run.map { group in
                    ProductJob(
                        input.rows(group.rows).transposed, output.rows(group.rows).factor,
                        into: .float32(target.tensor(group.matrix)), adding: target.isAdding(group.matrix))
                }
                multiply(jobs, on: pass.pool)
            }
        }
    }
}

/// Cuts a list of groups where the next matrix is not the next one in memory.
private func consecutiveRuns(_ groups: [RowGroup]) -> [ArraySlice<RowGroup>] {
    var runs: [ArraySlice<RowGroup>] = []
    var start = 0
    for end in groups.indices.dropFirst() where groups[end].matrix != groups[end - 1].matrix + 1 {
        runs.append(groups[start..<end])
        start = end
    }
    if start < groups.count { runs.append(groups[start...]) }
    return runs
}
