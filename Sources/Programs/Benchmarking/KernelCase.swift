import Configuration
import Kernels
import Model
import Tensors
import Threading

/// One kernel on the shapes of a micro-batch, and what one call moves or computes.
struct KernelCase {
    enum Work { case bytes(Int), flops(Double) }

    let name: String
    let work: Work
    let run: (ThreadPool) -> Void
}

/// The memory of a micro-batch that kernels are measured on.
struct KernelShapes {
    let tokens: Int
    let model: ModelShape
    let optimizer: OptimizerConfiguration
    let threads: Int
    /// Rows at a time of kernels that training gives the rows of a product.
    private let tileRows = 256
    /// Of what goes into products.
    let precision: Precision

    var d: Int { model.dModel }
    /// Bytes of `[tokens, dModel]`.
    var stream: Int { 4 * tokens * d }
    /// The same in the precision of products.
    var wire: Int { precision.size * tokens * d }
    /// Pairs of positions that see each other, times heads × head dimension, in one micro-batch.
    var causalWork: Double { Double(tokens) * Double(model.context + 1) / 2 * Double(model.attention.queryWidth) }

    func rows(_ columns: Int) -> Tensor { filled(tokens, columns) }
    func operand(_ rows: Int, _ columns: Int) -> Operand { filled(precision, rows, columns) }
    func floats(_ count: Int) -> Vector<Float> {
        let vector = Vector<Float>(count: count)
        fill(vector)
        return vector
    }
    func integers(_ count: Int, below bound: Int) -> Vector<Int32> {
        let vector = Vector<Int32>(count: count)
        for i in 0..<count { vector[i] = Int32(i % bound) }
        return vector
    }
}

extension KernelShapes {
    /// Every kernel of a training step but the products.
    var cases: [KernelCase] {
        streamCases + normCases + attentionCases + expertCases + routingCases + lossCases + parameterCases
            + [orthogonalizationCase]
    }

    private var streamCases: [KernelCase] {
        let a = rows(d), y = rows(d)
        let ids = integers(tokens, below: model.vocabularySize), table = filled(model.vocabularySize, d)
        return [
            KernelCase(name: "copy rows", work: .bytes(2 * stream)) { copyRows(a, into: y, on: $0) },
            KernelCase(name: "clear", work: .bytes(stream)) { clear(y, on: $0) },
            KernelCase(name: "embedding", work: .bytes(2 * stream)) { embed(ids, table: table, into: y, on: $0) },
            KernelCase(name: "embedding backward", work: .bytes(3 * stream)) {
                embedBackward(a, tokens: ids, dTable: table, adding: true, on: $0)
            },
        ]
    }

    private var normCases: [KernelCase] {
        let x = rows(d), dy = rows(d), y = rows(d), h = operand(tokens, d), weight = filled(1, d), bias = filled(1, d)
        let mean = floats(tokens), reciprocal = floats(tokens), parts = rows(d)
        return [
            KernelCase(name: "RMS norm", work: .bytes(stream + wire)) {
                rmsNorm(x, weight: weight, epsilon: 1e-5, into: h, reciprocal: reciprocal, on: $0)
            },
            KernelCase(name: "RMS norm backward", work: .bytes(4 * stream)) {
                rmsNormBackward(dy, x: x, weight: weight, reciprocal: reciprocal, addingTo: y, on: $0)
            },
            KernelCase(name: "RMS norm, weight", work: .bytes(2 * stream)) {
                rmsNormWeightGradient(dy, x: x, reciprocal: reciprocal, into: bias, adding: false, parts: parts, on: $0)
            },
            KernelCase(name: "layer norm", work: .bytes(stream + wire)) {
                layerNorm(
                    x, weight: weight, bias: bias, epsilon: 1e-5, into: h, mean: mean, reciprocal: reciprocal, on: $0)
            },
            KernelCase(name: "layer norm backward", work: .bytes(4 * stream)) {
                layerNormBackward(
                    dy, x: x, weight: weight, mean: mean, reciprocal: reciprocal, addingTo: y, on: $0)
            },
            KernelCase(name: "layer norm, weight", work: .bytes(2 * stream)) {
                layerNormWeightGradient(
                    dy, x: x, mean: mean, reciprocal: reciprocal, into: bias, adding: false, parts: parts, on: $0)
            },
            KernelCase(name: "layer norm, bias", work: .bytes(stream)) {
                columnSums(.float32(dy), into: bias, adding: false, parts: parts, on: $0)
            },
        ]
    }

    private var attentionCases: [KernelCase] {
        let settings = model.attention, queries = settings.queryWidth, keys = settings.keyValueWidth
        let qkv = operand(tokens, settings.projectedWidth), dQKV = operand(tokens, settings.projectedWidth)
        let o = operand(tokens, queries), dO = operand(tokens, queries)
        let logSumExp = Tensor(rows: settings.heads, columns: tokens)
        let shape = AttentionShape(settings, context: model.context)
        let scratch = (0..<threads).map { _ in AttentionScratch(shape, precision) }
        let cache = operand(model.context, 2 * keys)
        let turns = RotaryTable(model.rotary, context: model.context, headSize: settings.headSize)
        return [
            KernelCase(name: "rotary positions", work: .bytes(2 * precision.size * tokens * (queries + keys))) {
                $0.run(over: tokens, tile: tileRows) { rows in
                    turns.rotate(
                        qkv.rows(rows).columns(0..<queries + keys), first: rows.lowerBound, context: model.context)
                }
            },
            KernelCase(name: "attention", work: .flops(4 * causalWork)) {
                attention(qkv, shape: shape, into: o, logSumExp: logSumExp, scratch: scratch, on: $0)
            },
            KernelCase(name: "attention of one token", work: .bytes(2 * precision.size * model.context * keys)) {
                attention(
                    ofLast: qkv.rows(0..<1).columns(0..<queries), keysValues: cache, shape: shape, into: o.rows(0..<1),
                    scratch: scratch, on: $0)
            },
            KernelCase(name: "attention backward", work: .flops(10 * causalWork)) {
                attentionBackward(
                    dO, qkv: qkv, o: o, logSumExp: logSumExp, shape: shape, rotary: turns, into: dQKV,
                    scratch: scratch, on: $0)
            },
        ]
    }

    private var expertCases: [KernelCase] {
        let hidden = model.expertHiddenSize, slots = tokens * model.expertsPerToken
        let activation = model.activation, width = activation.inputWidth
        let name = activation == .swiglu ? "SwiGLU" : activation.rawValue
        let x = operand(slots, width * hidden), a = operand(slots, hidden), unit = precision.size * slots * hidden
        return [
            KernelCase(name: name, work: .bytes((width + 1) * unit)) {
                $0.run(over: slots, tile: tileRows) { rows in activation.forward(x.rows(rows), into: a.rows(rows)) }
            },
            KernelCase(name: "\(name) backward", work: .bytes((2 * width + 1) * unit)) {
                $0.run(over: slots, tile: tileRows) { rows in
                    activation.backward(a.rows(rows), replacing: x.rows(rows))
                }
            },
        ]
    }
}
