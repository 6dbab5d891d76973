import Collectives
import Configuration
import Model
import Tensors
import Testing

/// A bench with random parameters, an input and an output gradient, to check one layer of its model alone.
struct LayerBench {
    let bench: Bench
    let x: Tensor
    /// The gradient of the layer's output.
    let c: Tensor
    let y: Tensor
    let dx: Tensor

    init(
        _ settings: ModelShape, _ routing: RoutingConfiguration = .plain, tokens: Int, seed: UInt64 = 1,
        on world: any Communicator
    ) throws {
        bench = try Bench(settings, routing, microBatchTokens: tokens, microBatches: 1, isExact: false, on: world)
        bench.fillParameters(seed: seed)
        x = Tensor(rows: tokens, columns: settings.dModel)
        c = Tensor(rows: tokens, columns: settings.dModel)
        y = Tensor(rows: tokens, columns: settings.dModel)
        dx = Tensor(rows: tokens, columns: settings.dModel)
        fill(x.vector, seed: seed, stream: 100, scale: 2)
        fill(c.vector, seed: seed, stream: 101)
    }

    /// The forward pass, and the backward pass that adds to the bench's gradients.
    func forward(sequenceLength: Int = 1) -> ForwardContext {
        bench.pass(.training, of: MicroBatch(sequences: 0, sequenceLength: sequenceLength))
    }
    func backward(
        sequenceLength: Int = 1, scale: LossScale = LossScale(predictedTokens: 1, microBatches: 1)
    ) -> BackwardContext {
        BackwardContext(forward(sequenceLength: sequenceLength), gradients: bench.gradients, scale: scale)
    }

    /// Checks the input's gradient and that of every parameter whose name begins with `prefix`.
    /// - Parameters:
    ///   - forward: `y` from `x`
    ///   - backward: `dx`, which is `c` before if `addsToOutputGradient`, else zero, and the parameters' gradients
    func check(
        _ prefix: String, addsToOutputGradient: Bool, forward: () throws -> Evaluation, backward: () throws -> Void
    ) throws -> GradientCheck {
        _ = try forward()
        for i in 0..<dx.count { dx.vector[i] = addsToOutputGradient ? c.vector[i] : 0 }
        bench.gradients.reset()
        try backward()
        bench.gradients.finish(on: bench.workers)
        var check = GradientCheck(step: 0x1p-7)
        try check.check("input", x.vector, gradient: dx.vector.array.map(Double.init), forward)
        for id in bench.model.layout.all where bench.model.layout[id].name.hasPrefix(prefix) {
            try check.check(
                bench.model.layout[id].name, bench.parameters.vector(id), gradient: bench.gradient(id), forward)
        }
        return check
    }
}

extension Bench {
    /// Multiples of 2^−14: gains around 1, embeddings of order 1, routers large, so that their choices are clear, the rest
    /// of order 1/√rows.
    func fillParameters(seed: UInt64) {
        for id in model.layout.all {
            let entry = model.layout[id]
            let scale =
                switch entry.role {
                case .normWeight, .bias, .routerState: 0.5
                case .matrix where entry.name == "embedding": 1.0
                case .matrix: (entry.name.hasSuffix("router") ? 3 : 1.5) / Double(entry.rows).squareRoot()
                }
            fill(
                parameters.vector(id), seed: seed, stream: entry.nameDigest, center: entry.role == .normWeight ? 1 : 0,
                scale: scale)
        }
    }

    func gradient(_ id: ParameterID) -> [Double] {
        model.layout[id].range.map { Double(gradients.value(at: $0)) }
    }
}

extension RoutingConfiguration {
    /// One that layers without routes do not look at.
    static var plain: RoutingConfiguration {
        RoutingConfiguration(
            capacityFactor: CapacityFactor(1), loadBalanceWeight: 0, zLossWeight: 0, normalizeGates: false)
    }
}
