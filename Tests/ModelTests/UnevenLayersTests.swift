import Collectives
import Configuration
import Model
import Tensors
import Testing

/// Layers of different numbers of experts.
@Suite struct UnevenLayersTests {
    private let model = ModelShape(
        dModel: 6, layers: 3, heads: 1, context: 5, vocabularySize: 11, experts: ExpertsPerLayer(byLayer: [4, 1, 2]),
        granularity: 2, feedForward: 2)

    @Test func equalNumbersAreOneNumber() {
        let list = ExpertsPerLayer(byLayer: [8, 8, 8])
        #expect(list == 8 && list.uniform == 8 && list.description == "8" && list[layer: 2] == 8)
        let uneven = ExpertsPerLayer(byLayer: [8, 3])
        #expect(uneven.uniform == nil && uneven.description == "[8, 3]" && uneven[layer: 1] == 3 && uneven != 8)
    }

    /// Replicated tensors whole, of every layer's experts an equal part, all of them once.
    @Test func ranksShareOutEveryLayer() {
        let whole = ParameterLayout(model, .all)
        let parts = (0..<2).map { ParameterLayout(model, ExpertShard($0, of: 2)) }
        #expect(whole.replicatedCount == parts[0].replicatedCount && whole.replicatedCount == parts[1].replicatedCount)
        for (layer, experts) in [8, 2, 4].enumerated() {
            #expect(whole[whole.id("blocks.\(layer).router")].globalShape == [6, experts])
            for (name, shape) in [("gate_up", [6, 12]), ("down", [6, 6])] {
                let name = "blocks.\(layer).experts.\(name)"
                #expect(whole[whole.id(name)].globalShape == [experts] + shape)
                #expect(parts[0][parts[0].id(name)].experts == 0..<experts / 2)
                #expect(parts[1][parts[1].id(name)].experts == experts / 2..<experts)
            }
        }
        let ends = 2 * 66 + 6, attention = 3 * (4 * 36 + 12), experts = 14 * (6 + 3 * 36)
        #expect(whole.entries.map(\.count).reduce(0, +) == ends + attention + experts)
    }

    /// `⌈factor · tokens · k / experts⌉` slots with the layer's own number of experts, whoever shares its memory.
    @Test(arguments: Recomputation.allCases) func everyLayerHasItsCapacity(recomputation: Recomputation) throws {
        let routing = RoutingConfiguration(
            capacityFactor: CapacityFactor(0.8), loadBalanceWeight: 0.1, zLossWeight: 0, normalizeGates: false)
        let routes = try VirtualRanks.run(1) { world in
            let bench = try Bench(
                model, routing, microBatchTokens: 20, microBatches: 1, isExact: false, recomputation: recomputation,
                on: world)
            bench.fillParameters(seed: 4)
            let microBatch = MicroBatch(sequences: 4, sequenceLength: 5)
            for t in 0..<20 { (microBatch.inputs[t], microBatch.targets[t]) = (Int32(t % 11), Int32((t + 1) % 11)) }
            let found = try bench.train([microBatch])[0].routes
            guard recomputation != .block else { return found.map(\.dropped) }
            for layer in 0..<3 {
                let route = bench.workspace.route(inLayer: layer), experts = [8, 2, 4][layer]
                let capacity = [4, 16, 8][layer]
                #expect(route.experts == experts && route.probabilities.columns == experts)
                let over = (0..<experts).map { max(0, Int(route.tokensPerExpert[$0]) - capacity) }.reduce(0, +)
                #expect(found[layer].dropped == over)
            }
            return found.map(\.dropped)
        }[0]
        #expect(routes[0] > 0 && routes[1] > 0)
    }
}
