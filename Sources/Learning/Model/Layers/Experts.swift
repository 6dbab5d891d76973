package import Configuration
import Kernels
import MatrixProducts
package import Tensors
package import Threading

/// The experts of one layer that this rank holds: `E(x) = (silu(x·W_gate) · (x·W_up))·W_down` each.
///
/// Every product is that of one expert and one lane, so its shape and bits do not depend on which ranks' lanes arrive
/// together.
package struct Experts: Sendable {
    private let gateUp: ParameterID
    private let down: ParameterID

    /// What the experts keep for their backward pass, in the order of arrival.
    package struct Activations: Sendable {
        /// `[seats, dModel]`
        package let arrived: Operand
        /// `[seats, 2·hidden]`, gate | up; their gradients after the backward pass.
        package let gateUp: Operand
        /// `[seats, hidden]`
        package let hidden: Operand

        package init(seats: Int, _ model: ModelSettings, _ precision: Precision) {
            arrived = Operand(precision, rows: seats, columns: model.dModel)
            gateUp = Operand(precision, rows: seats, columns: 2 * model.expertHidden)
            hidden = Operand(precision, rows: seats, columns: model.expertHidden)
        }
    }

    package init(_ block: String, _ layout: ParameterLayout) {
        gateUp = layout.id("\(block).experts.gate_up")
        down = layout.id("\(block).experts.down")
    }

    /// - Parameter y: `[seats, dModel]`, overwritten
    package func forward(
        _ exchange: ExpertExchange, _ parameters: ParameterArena, saving saved: Activations, into y: Operand,
        on workers: Workers
    ) {
        let segments = Segments(exchange)
        multiply(
            segments.map { segment in
                let gateUps = saved.gateUp.rows(segment.rows), hidden = saved.hidden.rows(segment.rows)
                return ProductJob(
                    saved.arrived.rows(segment.rows).factor,
                    parameters.operand(gateUp, slab: segment.expert, like: y).factor, into: gateUps
                ) { swiGLU(gateUps.rows($0), into: hidden.rows($0)) }
            }, on: workers)
        multiply(
            segments.map {
                ProductJob(
                    saved.hidden.rows($0.rows).factor, parameters.operand(down, slab: $0.expert, like: y).factor,
                    into: y.rows($0.rows))
            }, on: workers)
    }

    /// - Parameters:
    ///   - dy: `[seats, dModel]`: gradients of the answers in, of the arrived rows out
    ///   - dHidden: `[seats, hidden]`, scratch
    package func backward(
        replacing dy: Operand, _ exchange: ExpertExchange, _ parameters: ParameterArena, saved: Activations,
        dHidden: Operand, gradients: GradientAccumulator, on workers: Workers
    ) {
        let segments = Segments(exchange)
        multiply(
            segments.map { segment in
                let dHidden = dHidden.rows(segment.rows), gateUps = saved.gateUp.rows(segment.rows)
                return ProductJob(
                    dy.rows(segment.rows).factor, parameters.operand(down, slab: segment.expert, like: dy).transposed,
                    into: dHidden
                ) { swiGLUBackward(dHidden.rows($0), replacing: gateUps.rows($0)) }
            }, on: workers)
        weightGradients(down, segments, input: saved.hidden, output: dy, gradients, on: workers)
        weightGradients(gateUp, segments, input: saved.arrived, output: saved.gateUp, gradients, on: workers)
        multiply(
            segments.map {
                ProductJob(
                    saved.gateUp.rows($0.rows).factor, parameters.operand(gateUp, slab: $0.expert, like: dy).transposed,
                    into: dy.rows($0.rows))
            }, on: workers)
    }

    /// `dW_e += inputᵀ·output` lane by lane, so that exact mode sees every lane's gradient whole.
    private func weightGradients(
        _ id: ParameterID, _ segments: Segments, input: Operand, output: Operand, _ gradients: GradientAccumulator,
        on workers: Workers
    ) {
        for source in 0..<segments.sources {
            let ofLane = segments.of(source: source)
            guard !ofLane.isEmpty else { continue }
            for run in consecutiveRuns(ofLane.map(\.expert)) {
                gradients.accumulate(id, slabs: run, on: workers) { target in
                    let jobs = ofLane.filter { run.contains($0.expert) }.map {
                        ProductJob(
                            input.rows($0.rows).transposed, output.rows($0.rows).factor,
                            into: .float32(target.tensor($0.expert)), adding: target.isAdding($0.expert))
                    }
                    multiply(jobs, on: workers)
                }
            }
        }
    }
}

/// Ranges of consecutive numbers that cover an ascending list.
private func consecutiveRuns(_ numbers: [Int]) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    for number in numbers {
        if let last = runs.last, last.upperBound == number {
            runs[runs.count - 1] = last.lowerBound..<number + 1
        } else {
            runs.append(number..<number + 1)
        }
    }
    return runs
}

/// The rows of an exchange by lane and expert, empty ones left out.
private struct Segments {
    struct Segment {
        let source: Int
        let expert: Int
        let rows: Range<Int>
    }

    private let all: [Segment]
    let sources: Int

    init(_ exchange: ExpertExchange) {
        var found: [Segment] = []
        var start = 0
        for source in 0..<exchange.groupSize {
            for expert in 0..<exchange.localExperts {
                let count = Int(exchange.arrived[source * exchange.localExperts + expert])
                if count > 0 { found.append(Segment(source: source, expert: expert, rows: start..<start + count)) }
                start += count
            }
        }
        all = found
        sources = exchange.groupSize
    }

    func map(_ body: (Segment) -> ProductJob) -> [ProductJob] { all.map(body) }
    func of(source: Int) -> [Segment] { all.filter { $0.source == source } }
}
