import Configuration
import Model
import Tensors
import Testing

/// `WorkspaceMemory` predicts what a `MicroBatchWorkspace` allocates; here the two are held together by looking inside.
@Suite struct WorkspaceMemoryTests {
    private static let models = [
        ModelShape(dModel: 2, layers: 1, heads: 1, context: 1, vocabularySize: 1, feedForward: 0.5),
        ModelShape(dModel: 6, layers: 3, heads: 3, context: 5, vocabularySize: 11, experts: 4, topK: 2),
        ModelShape(
            dModel: 8, layers: 2, heads: 2, context: 16, vocabularySize: 50_257, experts: 6, granularity: 2,
            tieEmbeddings: true, norm: .layer),
        ModelShape(
            dModel: 6, layers: 3, heads: 3, context: 5, vocabularySize: 11,
            experts: ExpertsPerLayer(byLayer: [2, 7, 5]),
            topK: 2, granularity: 2, feedForward: 2),
        grouped, normed, shared(SharedExpertsConfiguration(hiddenSize: 40)),
        shared(SharedExpertsConfiguration(hiddenSize: 3, isGated: true)), dense([0], 50), dense([1, 2], 2),
    ]

    private static func dense(_ layers: Set<Int>, _ hiddenSize: Int) -> ModelShape {
        var model = shared(SharedExpertsConfiguration(hiddenSize: 3, isGated: true))
        model.dense = DenseLayersConfiguration(layers, hiddenSize: hiddenSize)
        return model
    }

    private static func shared(_ experts: SharedExpertsConfiguration) -> ModelShape {
        var model = ModelShape(dModel: 6, layers: 3, heads: 3, context: 5, vocabularySize: 11, experts: 4, topK: 2)
        model.shared = experts
        return model
    }

    private static var normed: ModelShape {
        var model = grouped
        model.attention.bias = .none
        model.attention.queryKeyNorm = .head
        return model
    }

    private static var grouped: ModelShape {
        var model = ModelShape(dModel: 6, layers: 2, heads: 3, context: 5, vocabularySize: 11, experts: 4)
        model.attention = AttentionConfiguration(heads: 4, keyValueHeads: 2, headSize: 6, bias: .all)
        return model
    }

    struct Case: Sendable {
        var model: Int, tokens: Int, expertParallelSize: Int, capacity: Double, keepsActivations: Bool, threads: Int
    }

    @Test(
        arguments: [
            Case(model: 0, tokens: 1, expertParallelSize: 1, capacity: 1, keepsActivations: true, threads: 1),
            Case(model: 1, tokens: 25, expertParallelSize: 1, capacity: 1.25, keepsActivations: true, threads: 1),
            Case(model: 1, tokens: 25, expertParallelSize: 2, capacity: 0.5, keepsActivations: true, threads: 3),
            Case(model: 1, tokens: 1200, expertParallelSize: 4, capacity: 8, keepsActivations: false, threads: 2),
            Case(model: 2, tokens: 480, expertParallelSize: 3, capacity: 1.1, keepsActivations: true, threads: 2),
            Case(model: 2, tokens: 32, expertParallelSize: 12, capacity: 1, keepsActivations: false, threads: 1),
            Case(model: 3, tokens: 25, expertParallelSize: 1, capacity: 1.1, keepsActivations: true, threads: 1),
            Case(model: 3, tokens: 25, expertParallelSize: 2, capacity: 0.7, keepsActivations: true, threads: 2),
            Case(model: 5, tokens: 300, expertParallelSize: 1, capacity: 1, keepsActivations: true, threads: 1),
            Case(model: 4, tokens: 300, expertParallelSize: 2, capacity: 1, keepsActivations: true, threads: 2),
            Case(model: 3, tokens: 30, expertParallelSize: 2, capacity: 1, keepsActivations: false, threads: 1),
            Case(model: 8, tokens: 30, expertParallelSize: 2, capacity: 1, keepsActivations: true, threads: 2),
            Case(model: 9, tokens: 30, expertParallelSize: 1, capacity: 2, keepsActivations: true, threads: 1),
            Case(model: 8, tokens: 30, expertParallelSize: 1, capacity: 1, keepsActivations: false, threads: 1),
            Case(model: 6, tokens: 30, expertParallelSize: 2, capacity: 1, keepsActivations: true, threads: 2),
            Case(model: 7, tokens: 30, expertParallelSize: 1, capacity: 1, keepsActivations: true, threads: 1),
            Case(model: 7, tokens: 30, expertParallelSize: 2, capacity: 1, keepsActivations: false, threads: 1),
        ], Precision.allCases)
    func isWhatAWorkspaceHolds(test: Case, precision: Precision) {
        for recomputation in Recomputation.allCases { isWhatAWorkspaceHolds(test, precision, recomputation) }
    }

    private func isWhatAWorkspaceHolds(_ test: Case, _ precision: Precision, _ recomputation: Recomputation) {
        let model = Self.models[test.model]
        let routing = RoutingConfiguration(
            capacityFactor: CapacityFactor(test.capacity), loadBalanceWeight: 0, zLossWeight: 0, normalizeGates: false)
        let workspace = MicroBatchWorkspace(
            model, routing, precision, recomputation: recomputation, microBatchTokens: test.tokens,
            expertParallelSize: test.expertParallelSize,
            keepsActivations: test.keepsActivations,
            threads: test.threads)
        let predicted = WorkspaceMemory(
            model, routing, precision, recomputation: recomputation, microBatchTokens: test.tokens,
            expertParallelSize: test.expertParallelSize,
            keepsActivations: test.keepsActivations,
            threads: test.threads)
        #expect(bytes(in: [workspace], below: ["blocks", "finalNorm", "output"]) == predicted.activations)
        #expect(bytes(in: [workspace], below: ["sendRows", "expertRows"]) == predicted.exchange)
        let own = predicted.activations + predicted.exchange + predicted.scratch
        #expect(bytes(in: [workspace]) == own + predicted.sharedScratch)
        let second = MicroBatchWorkspace(
            model, routing, precision, recomputation: recomputation, microBatchTokens: test.tokens,
            expertParallelSize: test.expertParallelSize,
            keepsActivations: test.keepsActivations, threads: test.threads, sharing: workspace)
        #expect(bytes(in: [workspace, second]) == 2 * own + predicted.sharedScratch)
    }

    /// Bytes of all buffers that workspaces reach through the named properties (all if nil), each counted once.
    private func bytes(in workspaces: [MicroBatchWorkspace], below names: Set<String>? = nil) -> Int {
        var seen: [ObjectIdentifier: Int] = [:]
        for child in workspaces.flatMap({ Mirror(reflecting: $0).children })
        where names?.contains(child.label ?? "") ?? true {
            collect(child.value, into: &seen)
        }
        return seen.values.reduce(0, +)
    }

    private func collect(_ value: Any, into seen: inout [ObjectIdentifier: Int]) {
        switch value {
        case let buffer as Buffer<Float>: seen[ObjectIdentifier(buffer)] = 4 * buffer.count
        case let buffer as Buffer<BFloat16>: seen[ObjectIdentifier(buffer)] = 2 * buffer.count
        case let buffer as Buffer<Int32>: seen[ObjectIdentifier(buffer)] = 4 * buffer.count
        default:
            let mirror = Mirror(reflecting: value)
            if mirror.displayStyle == .class { Issue.record("unknown storage: \(type(of: value))") }
            for child in mirror.children { collect(child.value, into: &seen) }
        }
    }
}
