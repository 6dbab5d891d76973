import Collectives
import Configuration
import Model
import Parallelism
import Tensors
import Testing
import Threading

/// Every layer's backward pass against central differences of its forward pass; the error bound is `GradientCheck`'s.
@Suite struct LayerGradientTests {
    private func model(
        _ dModel: Int, heads: Int = 1, context: Int = 5, experts: Int = 1, topK: Int = 1, granularity: Int = 1,
        feedForward: Double = 1.5, norm: NormKind = .rms
    ) -> ModelShape {
        ModelShape(
            dModel: dModel, layers: 1, heads: heads, context: context, vocabularySize: 3,
            experts: ExpertsPerLayer(experts), topK: topK,
            granularity: granularity, feedForward: feedForward, norm: norm)
    }

    @Test(arguments: NormKind.allCases, [(1, 1), (1, 2), (3, 5), (7, 16), (65, 33)])
    func norm(kind: NormKind, shape: (tokens: Int, dModel: Int)) throws {
        let check = try VirtualRanks.run(1) { world in
            let settings = model(shape.dModel, norm: kind)
            let layer = try LayerBench(settings, tokens: shape.tokens, on: world), bench = layer.bench
            let norm = Norm("final_norm", settings, bench.model.layout)
            let saved = Norm.Activations(tokens: shape.tokens, dModel: shape.dModel, .float32)
            return try layer.check("final_norm", addsToOutputGradient: false) {
                weightedSum(norm.forward(layer.x, saving: saved, in: layer.forward()).tensor, layer.c)
            } backward: {
                norm.backward(layer.c, input: layer.x, saved: saved, addingTo: layer.dx, in: layer.backward())
            }
        }[0]
        check.report("\(kind) norm of \(shape)")
    }

    @Test(arguments: [(1, 2), (3, 6), (65, 8)]) func linear(shape: (tokens: Int, dModel: Int)) throws {
        let check = try VirtualRanks.run(1) { world in
            let layer = try LayerBench(model(shape.dModel), tokens: shape.tokens, on: world), bench = layer.bench
            let linear = Linear("blocks.0.attention.output", bench.model.layout)
            return try layer.check("blocks.0.attention.output", addsToOutputGradient: false) {
                linear.forward(.float32(layer.x), into: .float32(layer.y), in: layer.forward())
                return weightedSum(layer.y, layer.c)
            } backward: {
                linear.backward(
                    .float32(layer.c), input: .float32(layer.x), into: .float32(layer.dx), in: layer.backward())
            }
        }[0]
        check.report("a linear layer of \(shape)")
    }

    struct AttentionCase: Sendable {
        var dModel: Int
        var heads: Int
        var context: Int
        var sequences: Int
        var norm = NormKind.rms
        /// Nil: as many as heads, and dModel / heads.
        var keyValueHeads: Int?
        var headSize: Int?
        var bias = AttentionBias.none
        var queryKeyNorm = QueryKeyNormKind.none

        func apply(to model: inout ModelShape) {
            model.attention = AttentionConfiguration(
                heads: heads, keyValueHeads: keyValueHeads, headSize: headSize ?? dModel / heads, bias: bias,
                queryKeyNorm: queryKeyNorm)
        }
    }

    @Test(arguments: [
        AttentionCase(dModel: 2, heads: 1, context: 1, sequences: 1),
        AttentionCase(dModel: 2, heads: 1, context: 2, sequences: 1),
        AttentionCase(dModel: 4, heads: 2, context: 5, sequences: 3, norm: .layer),
        AttentionCase(dModel: 18, heads: 3, context: 7, sequences: 2),
        AttentionCase(dModel: 4, heads: 1, context: 131, sequences: 1),
        AttentionCase(dModel: 8, heads: 4, context: 6, sequences: 2, keyValueHeads: 2),
        AttentionCase(dModel: 5, heads: 3, context: 5, sequences: 2, keyValueHeads: 1, headSize: 2, bias: .qkv),
        AttentionCase(dModel: 4, heads: 2, context: 5, sequences: 3, norm: .layer, headSize: 6, bias: .all),
        AttentionCase(
            dModel: 6, heads: 4, context: 5, sequences: 2, keyValueHeads: 2, headSize: 8, bias: .qkv,
            queryKeyNorm: .head),
        AttentionCase(dModel: 8, heads: 2, context: 5, sequences: 2, keyValueHeads: 1, queryKeyNorm: .all),
    ])
    func selfAttention(test: AttentionCase) throws {
        let check = try VirtualRanks.run(1) { world in
            var settings = model(test.dModel, heads: test.heads, context: test.context, norm: test.norm)
            test.apply(to: &settings)
            let tokens = test.sequences * test.context
            let layer = try LayerBench(settings, tokens: tokens, on: world), bench = layer.bench
            let attention = SelfAttention(0, settings, bench.model.layout)
            let saved = SelfAttention.Activations(tokens: tokens, settings, .float32)
            return try layer.check("blocks.0.attention", addsToOutputGradient: true) {
                attention.forward(
                    layer.x, into: layer.y, saving: saved, in: layer.forward(sequenceLength: test.context))
                return weightedSum(layer.y, layer.c)
            } backward: {
                attention.backward(
                    addingTo: layer.dx, input: layer.x, saved: saved,
                    in: layer.backward(sequenceLength: test.context))
            }
        }[0]
        check.report("attention \(test)")
    }

    /// Experts with rows of two micro-batches, some experts without rows, some micro-batches without rows for an expert.
    @Test(arguments: [[[1]], [[3, 0, 2], [0, 0, 5]], [[65, 1], [2, 3]]]) func experts(rows: [[Int]]) throws {
        let check = try VirtualRanks.run(1) { world in
            let count = rows[0].count, slots = rows.joined().reduce(0, +)
            let settings = model(4, experts: count)
            let layer = try LayerBench(settings, tokens: slots, on: world), bench = layer.bench
            let experts = FeedForward("blocks.0.experts", bench.model.layout)
            let exchange = ExpertExchange(expertParallelSize: rows.count, localExperts: count)
            for (i, n) in rows.joined().enumerated() { exchange.received[i] = Int32(n) }
            exchange.sumByRank()
            let saved = FeedForward.Activations(rows: slots, hidden: settings.expertHiddenSize, .float32)
            let groups = exchange.rowGroups, received = Operand(.float32, rows: slots, columns: settings.dModel)
            return try layer.check("blocks.0.experts", addsToOutputGradient: true) {
                for i in 0..<layer.x.count { received.tensor.vector[i] = layer.x.vector[i] }
                experts.forward(received, groups, into: .float32(layer.y), saving: saved, in: layer.forward())
                return weightedSum(layer.y, layer.c)
            } backward: {
                experts.backward(
                    .float32(layer.dx), groups, input: received, into: .float32(layer.dx), saved: saved,
                    in: layer.backward())
            }
        }[0]
        check.report("experts with rows \(rows)")
    }

    struct SwitchCase: Sendable {
        var dModel = 6
        var tokens: Int
        var experts: Int
        var topK = 1
        var granularity = 1
        var feedForward = 1.5
        var capacity: Double
        var normalize = false
        var drops = false
        var norm = NormKind.rms
        var shared = SharedExpertsConfiguration.none
        /// Hidden units of a dense layer.
        var dense: Int?
    }

    /// Both auxiliary losses are heavy, so that the router's gradient is theirs as much as the gates'.
    @Test(arguments: [
        SwitchCase(dModel: 2, tokens: 1, experts: 1, feedForward: 0.5, capacity: 1),
        SwitchCase(dModel: 1, tokens: 1, experts: 2, feedForward: 1, capacity: 1),
        SwitchCase(tokens: 7, experts: 3, capacity: 8), SwitchCase(tokens: 13, experts: 3, capacity: 0.7, drops: true),
        SwitchCase(tokens: 13, experts: 4, topK: 2, capacity: 8, norm: .layer),
        SwitchCase(tokens: 13, experts: 4, topK: 2, capacity: 0.7, drops: true),
        SwitchCase(tokens: 13, experts: 4, topK: 2, capacity: 0.7, normalize: true, drops: true),
        SwitchCase(tokens: 11, experts: 2, granularity: 2, capacity: 0.8, normalize: true, drops: true),
        SwitchCase(tokens: 11, experts: 3, granularity: 2, capacity: 0.6, drops: true),
        SwitchCase(tokens: 9, experts: 3, topK: 3, capacity: 8, normalize: true),
        SwitchCase(tokens: 9, experts: 5, topK: 1, capacity: 3, normalize: true),
        SwitchCase(
            dModel: 1, tokens: 1, experts: 1, feedForward: 1, capacity: 1,
            shared: SharedExpertsConfiguration(hiddenSize: 1, isGated: true)),
        SwitchCase(
            tokens: 13, experts: 3, capacity: 0.7, drops: true, shared: SharedExpertsConfiguration(hiddenSize: 23)),
        SwitchCase(
            tokens: 11, experts: 4, topK: 2, capacity: 0.7, normalize: true, drops: true, norm: .layer,
            shared: SharedExpertsConfiguration(hiddenSize: 5, isGated: true)),
        SwitchCase(dModel: 1, tokens: 1, experts: 1, feedForward: 1, capacity: 1, dense: 1),
        SwitchCase(tokens: 13, experts: 3, capacity: 0.1, norm: .layer, dense: 10),
    ])
    func switchFeedForward(test: SwitchCase) throws {
        let check = try VirtualRanks.run(1) { world in try switchCheck(test, on: world) }[0]
        check.report("a Switch feed-forward \(test)")
    }

    private func switchCheck(_ test: SwitchCase, on world: any Communicator) throws -> GradientCheck {
        var settings = model(
            test.dModel, experts: test.experts, topK: test.topK, granularity: test.granularity,
            feedForward: test.feedForward, norm: test.norm)
        settings.shared = test.shared
        if let hidden = test.dense { settings.dense = DenseLayersConfiguration([0], hiddenSize: hidden) }
        let routing = RoutingConfiguration(
            capacityFactor: CapacityFactor(test.capacity), loadBalanceWeight: 0.75, zLossWeight: 0.25,
            normalizeGates: test.normalize)
        let layer = try LayerBench(settings, routing, tokens: test.tokens, on: world), bench = layer.bench
        let feedForward = SwitchFeedForward(0, settings, routing, bench.model.layout)
        let sizes = LayerSizes.byLayer(settings, routing, microBatchTokens: test.tokens, expertParallelSize: 1)[0]
        let saved = Block.Activations(sizes, settings, .float32).feedForward
        // One of two micro-batches of a batch: the auxiliary losses count half.
        let scale = LossScale(predictedTokens: 1, microBatches: 2)
        var dropped = 0
        let check = try layer.check("blocks.0", addsToOutputGradient: true) {
            let route = try feedForward.forward(
                layer.x, into: layer.y, saving: saved, in: layer.forward())
            dropped = route.dropped
            var result = weightedSum(layer.y, layer.c)
            let auxiliary = (0.75 * route.loadBalance + 0.25 * route.z) / 2
            result.value += auxiliary
            result.magnitude += auxiliary / Double(test.tokens).squareRoot()
            result.routes = [route.expertIndicesDigest]
            return result
        } backward: {
            try feedForward.backward(
                addingTo: layer.dx, input: layer.x, saved: saved, in: layer.backward(scale: scale))
        }
        #expect((dropped > 0) == test.drops, "\(dropped) dropped")
        return check
    }
}
