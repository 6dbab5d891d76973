import Configuration
import Kernels
import Model
import Optimization
import Tensors
import Threading

extension KernelShapes {
    var routingCases: [KernelCase] { model.layerKinds.flatMap(routerCases) + travelCases }

    private func routerCases(_ kind: LayerKind) -> [KernelCase] {
        let k = model.expertsPerToken, experts = kind.experts, slots = tokens * k
        let z = rows(experts), dz = rows(experts)
        let expertIndices = integers(slots, below: experts), gates = floats(slots), dGates = floats(slots)
        let logSumExp = floats(tokens), tokensPerExpert = integers(experts, below: max(1, slots / experts))
        let table = 4 * tokens * experts
        return [
            KernelCase(name: "router softmax" + kind.suffix, work: .bytes(2 * table)) {
                routerSoftmax(z, logSumExp: logSumExp, on: $0)
            },
            KernelCase(name: "router choice" + kind.suffix, work: .bytes(table)) {
                selectTopK(z, k: k, normalize: false, expertIndices: expertIndices, gates: gates, on: $0)
            },
            KernelCase(name: "router backward" + kind.suffix, work: .bytes(2 * table)) {
                loadBalanceGradient(tokensPerExpert, k: k, scale: 1e-3, into: dz, on: $0)
                selectTopKBackward(
                    z, k: k, normalize: false, expertIndices: expertIndices, gates: gates, dGates: dGates,
                    addingTo: dz, on: $0)
                routerSoftmaxBackward(z, logSumExp: logSumExp, zScale: 1e-3, replacing: dz, on: $0)
            },
        ]
    }

    /// To slots and back, which is alike in all layers.
    private var travelCases: [KernelCase] {
        let k = model.expertsPerToken, slots = tokens * k
        let x = rows(d), y = rows(d), traveling = operand(slots, d)
        let gates = floats(slots), dGates = floats(slots), sendRow = integers(slots, below: slots)
        return [
            KernelCase(name: "scatter to slots", work: .bytes(stream + k * wire)) {
                scatterToSlots(x, k: k, sendRow: sendRow, into: traveling, on: $0)
            },
            KernelCase(name: "scatter backward", work: .bytes(2 * stream + k * wire)) {
                scatterToSlotsBackward(traveling, k: k, sendRow: sendRow, addingTo: y, on: $0)
            },
            KernelCase(name: "combine answers", work: .bytes(2 * stream + k * wire)) {
                combineExpertOutputs(traveling, k: k, sendRow: sendRow, gates: gates, addingTo: y, on: $0)
            },
            KernelCase(name: "combine backward", work: .bytes(stream + 2 * k * wire)) {
                combineExpertOutputsBackward(
                    x, expertOutputs: traveling, k: k, sendRow: sendRow, gates: gates, dExpertOutputs: traveling,
                    dGates: dGates,
                    on: $0)
            },
        ]
    }

    var lossCases: [KernelCase] {
        let vocabulary = model.vocabularySize, chunk = min(tokens, crossEntropyChunk(vocabulary: vocabulary))
        let x = operand(tokens, d), dx = rows(d), head = operand(vocabulary, d), dHead = filled(vocabulary, d)
        let targets = integers(tokens, below: vocabulary), losses = floats(tokens)
        let scratch = LogitScratch(chunk: chunk, vocabulary: vocabulary, precision),
            product = 2 * Double(tokens * d * vocabulary)
        return [
            KernelCase(name: "cross-entropy", work: .flops(product)) {
                crossEntropy(x, head: head, targets: targets, losses: losses, scratch: scratch, on: $0)
            },
            KernelCase(name: "cross-entropy with gradient", work: .flops(3 * product)) {
                crossEntropyWithGradient(
                    x, head: head, targets: targets, scale: 1e-4, losses: losses, dx: dx, dHead: dHead, adding: false,
                    scratch: scratch, on: $0)
            },
        ]
    }

    /// What Muon does to the gates of as many experts as there are threads.
    var orthogonalizationCase: KernelCase {
        let (rows, columns) = (d, model.expertHiddenSize), n = Double(min(rows, columns))
        let jobs = (0..<threads).map { _ in
            Orthogonalization(
                of: filled(rows, columns), into: filled(rows, columns),
                scratch: Vector(count: Orthogonalization.scratchCount(rows: rows, columns: columns)))
        }
        let flops = Double(threads) * 5 * (4 * n * Double(rows * columns) + 2 * n * n * n)
        return KernelCase(name: "orthogonalization", work: .flops(flops)) { orthogonalize(jobs, on: $0) }
    }

    /// On as many parameters as the experts of the layer with most have, in pieces as training takes them.
    var parameterCases: [KernelCase] {
        let count = max(1 << 22, 3 * d * model.expertHiddenSize * (model.expertCounts.max() ?? 1)), piece = 1 << 16
        let w = floats(count), g = floats(count), m = floats(count), v = Vector<Float>(count: count)
        let sums = Vector<Int64>(count: count), digests = Vector<UInt64>(count: (count + piece - 1) / piece)
        let digest = TensorDigest(name: "w")
        let norms = Vector<Double>(count: digests.count)
        let step = AdamWStep(optimizer, number: 1000, learningRate: 1e-4, gradientScale: 1)
        return [
            KernelCase(name: "AdamW", work: .bytes(28 * count)) {
                $0.run(digests.count) { _, task in
                    let part = task * piece..<min((task + 1) * piece, count)
                    step.update(
                        w[part], gradient: g[part], firstMoment: m[part], secondMoment: v[part], hasWeightDecay: true)
                }
            },
            KernelCase(name: "sum of squares", work: .bytes(4 * count)) {
                $0.run(digests.count) { _, task in
                    norms[task] = sumOfSquares(g[task * piece..<min((task + 1) * piece, count)].span)
                }
            },
            KernelCase(name: "digest", work: .bytes(4 * count)) {
                $0.run(digests.count) { _, task in
                    let part = task * piece..<min((task + 1) * piece, count)
                    digests[task] = digest.part(w[part].span, at: part.lowerBound)
                }
            },
            KernelCase(name: "fixed-point sum", work: .bytes(20 * count)) {
                _ = accumulateFixed(g, into: sums, adding: true, limit: FixedPoint.limit(microBatches: 4), on: $0)
            },
        ]
    }
}
