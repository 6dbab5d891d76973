package import Configuration
import Randomness

/// What a parameter does, which decides how it starts and what changes it.
package enum ParameterRole: Sendable, Equatable {
    /// A matrix whose values start as truncated normals with σ = √(scale / fanIn).
    case matrix(fanIn: Int)
    /// A norm's weight: starts at 1.
    case normWeight
    /// The bias of a norm or of a matrix: starts at 0.
    case bias
    /// The state of a routing rule, a number for every expert: starts at 0, and the rule moves it, no gradient (`RouterState`).
    case routerState
}

/// One tensor of the model and where this rank's part of it lies in the arenas.
package struct ParameterEntry: Sendable {
    /// The global name, for example `blocks.3.experts.gate_up`.
    package let name: String
    package let role: ParameterRole
    /// `[rows, columns]`, or `[experts, rows, columns]` of a tensor that the expert group shares out.
    package let globalShape: [Int]
    /// The experts this rank holds, global numbers; nil for a replicated tensor.
    package let experts: Range<Int>?
    /// Columns of the matrices of attention or of an expert that lie side by side in each `[rows, columns]`: three in `qkv`, two
    /// in `gate_up`; none of embedding, head, router, norms and biases.
    package let hiddenWidths: [Int]
    /// First element in the arenas.
    package let offset: Int
    package let nameDigest: UInt64

    package var rows: Int { globalShape[globalShape.count - 2] }
    package var columns: Int { globalShape[globalShape.count - 1] }
    /// Weight decay pulls at matrices; gains and biases are left alone.
    package var hasWeightDecay: Bool {
        if case .matrix = role { return true }
        return false
    }
    /// Whether the loss's gradient trains it. In place of a gradient, others sum what their own rule takes from every micro-batch.
    package var hasGradient: Bool { role != .routerState }
    /// Matrices this rank holds: its experts, or 1.
    package var matrixCount: Int { experts?.count ?? 1 }
    /// Elements this rank holds.
    package var count: Int { matrixCount * rows * columns }
    /// Index of this rank's first element in the whole tensor.
    package var globalOffset: Int { (experts?.lowerBound ?? 0) * rows * columns }
    package var globalCount: Int { globalShape.reduce(1, *) }
    package var range: Range<Int> { offset..<offset + count }
    /// The block it belongs to; nil for embedding, final norm and head.
    package var block: Int? {
        name.hasPrefix("blocks.") ? Int(name.dropFirst("blocks.".count).prefix { $0 != "." }) : nil
    }
}

/// Which entry of a layout; the same number on every rank.
package struct ParameterID: Sendable, Hashable {
    package let index: Int
}

/// The order of all parameters in every arena: replicated ones in one contiguous range, then this rank's experts,
/// because the two are summed over different groups of ranks.
package struct ParameterLayout: Sendable {
    package private(set) var entries: [ParameterEntry] = []
    /// Elements of the replicated range `0 ..< replicatedCount`.
    package private(set) var replicatedCount = 0
    /// Elements of an arena.
    package private(set) var count = 0
    private var ids: [String: Int] = [:]

    /// Entries begin on multiples of this many elements (64 bytes); what lies between stays zero.
    private static let alignment = 16

    /// - Parameter share: of every layer's experts that the rank holds
    package init(_ model: ModelShape, _ share: ExpertShard) {
        let tensors = Self.tensors(model)
        for tensor in tensors where tensor.expertCount == nil { append(tensor, experts: nil) }
        replicatedCount = count
        for tensor in tensors {
            if let experts = tensor.expertCount { append(tensor, experts: share.experts(of: experts)) }
        }
    }

    package subscript(id: ParameterID) -> ParameterEntry { entries[id.index] }
    package var all: [ParameterID] { entries.indices.map(ParameterID.init) }
    package var replicatedRange: Range<Int> { 0..<replicatedCount }
    package var expertRange: Range<Int> { replicatedCount..<count }

    /// Where matrix `matrix` of a tensor lies in the arenas.
    package func range(of id: ParameterID, matrix: Int) -> Range<Int> {
        let entry = entries[id.index], size = entry.rows * entry.columns
        precondition(matrix >= 0 && matrix < entry.matrixCount)
        return entry.offset + matrix * size..<entry.offset + (matrix + 1) * size
    }

    package func id(_ name: String) -> ParameterID {
        guard let index = ids[name] else { preconditionFailure("no parameter is called \(name)") }
        return ParameterID(index: index)
    }

    /// The bias of that name; nil if there is none. What a routing rule keeps under such a name is none.
    package func bias(_ name: String) -> ParameterID? {
        ids[name].flatMap { entries[$0].role == .bias ? ParameterID(index: $0) : nil }
    }

    private mutating func append(_ tensor: Declaration, experts: Range<Int>?) {
        let shape = (tensor.expertCount.map { [$0] } ?? []) + [tensor.rows, tensor.columns]
        let entry = ParameterEntry(
            name: tensor.name, role: tensor.role, globalShape: shape, experts: experts,
            hiddenWidths: tensor.hiddenWidths, offset: count, nameDigest: digest(of: tensor.name))
        ids[tensor.name] = entries.count
        entries.append(entry)
        count += (entry.count + Self.alignment - 1) / Self.alignment * Self.alignment
    }

    private struct Declaration {
        var name: String
        var role: ParameterRole
        var rows: Int
        var columns: Int
        var expertCount: Int?
        var hiddenWidths: [Int] = []
    }

    private static func tensors(_ model: ModelShape) -> [Declaration] {
        let d = model.dModel
        func norm(_ name: String) -> [Declaration] {
            let weight = Declaration(name: "\(name).weight", role: .normWeight, rows: 1, columns: d)
            let bias = Declaration(name: "\(name).bias", role: .bias, rows: 1, columns: d)
            return model.norm == .layer ? [weight, bias] : [weight]
        }
        // A row of the embedding is looked up, not multiplied: its fan-in is 1 (the joint study's code does the same).
        var all = [matrix("embedding", model.vocabularySize, d, fanIn: model.tieEmbeddings ? d : 1)]
        for layer in 0..<model.layers {
            let block = "blocks.\(layer)"
            all += norm("\(block).attention_norm")
            all += attention(block, model)
            all += norm("\(block).feed_forward_norm")
            all += model.isRouted(layer) ? routedExperts(layer, block, model) : []
            all += unroutedFeedForward(layer, block, model)
        }
        if model.finalNorm { all += norm("final_norm") }
        if !model.tieEmbeddings { all.append(matrix("head", model.vocabularySize, d, fanIn: d)) }
        return all
    }

    private static func matrix(
        _ name: String, _ rows: Int, _ columns: Int, fanIn: Int, experts: Int? = nil, hidden: [Int] = []
    ) -> Declaration {
        Declaration(
            name: name, role: .matrix(fanIn: fanIn), rows: rows, columns: columns, expertCount: experts,
            hiddenWidths: hidden)
    }

    /// The router of a block, its state and its experts.
    private static func routedExperts(_ layer: Int, _ block: String, _ model: ModelShape) -> [Declaration] {
        let d = model.dModel, hidden = model.expertHiddenSize, experts = model.expertCount(inLayer: layer)
        let together = model.initialization == .llmRandom ? experts : 1
        let state = model.routerState.map {
            Declaration(name: "\(block).\($0)", role: .routerState, rows: 1, columns: experts)
        }
        return [matrix("\(block).router", d, experts, fanIn: d)] + (state.map { [$0] } ?? []) + [
            matrix("\(block).experts.gate_up", d, 2 * hidden, fanIn: d, experts: experts, hidden: [hidden, hidden]),
            matrix("\(block).experts.down", hidden, d, fanIn: together * hidden, experts: experts, hidden: [d]),
        ]
    }

    /// The shared experts of a block and their gate, or the feed-forward of a dense layer.
    private static func unroutedFeedForward(_ layer: Int, _ block: String, _ model: ModelShape) -> [Declaration] {
        let d = model.dModel, hidden = model.unroutedHiddenSize(inLayer: layer)
        guard hidden > 0 else { return [] }
        let isRouted = model.isRouted(layer), name = "\(block).\(isRouted ? "shared_experts" : "feed_forward")"
        let gate = isRouted && model.shared.isGated ? [matrix("\(block).shared_gate", d, 1, fanIn: d)] : []
        return [
            matrix("\(name).gate_up", d, 2 * hidden, fanIn: d, hidden: [hidden, hidden]),
            matrix("\(name).down", hidden, d, fanIn: hidden, hidden: [d]),
        ] + gate
    }

    /// The projections of a block's attention and their biases.
    private static func attention(_ block: String, _ model: ModelShape) -> [Declaration] {
        let d = model.dModel, shape = model.attention, name = "\(block).attention"
        let widths = [shape.queryWidth, shape.keyValueWidth, shape.keyValueWidth]
        var all = [matrix("\(name).qkv", d, shape.projectedWidth, fanIn: d, hidden: widths)]
        if shape.bias != .none {
            all.append(Declaration(name: "\(name).qkv_bias", role: .bias, rows: 1, columns: shape.projectedWidth))
        }
        if shape.queryKeyNorm != .none {
            for (norm, width) in [("query_norm", shape.normWidths.queries), ("key_norm", shape.normWidths.keys)] {
                all.append(Declaration(name: "\(name).\(norm).weight", role: .normWeight, rows: 1, columns: width))
            }
        }
        all.append(matrix("\(name).output", shape.queryWidth, d, fanIn: shape.queryWidth, hidden: [d]))
        if shape.bias == .all {
            all.append(Declaration(name: "\(name).output_bias", role: .bias, rows: 1, columns: d))
        }
        return all
    }
}
