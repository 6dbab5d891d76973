import JSON
import Configuration
import Diagnostics
import Tensors

/// Layers of different numbers of experts. The class has one number for all, but also a correction bias for each expert, which
/// decides who is chosen and not by how much it counts: layers are filled up with experts that are never chosen. It always
/// normalizes gates, so that what the others' logits add to the softmax cancels.
struct Ernie45MoE: ExportedClass {
    static let name = "Ernie4_5_MoeForCausalLM"
    static let modelType = "ernie4_5_moe"
    static let traits = ClassTraits(
        experts: .anyNumbers, denseLayers: .outside, normalizesGates: true, gatesSharedExperts: false,
        sharesWholeExperts: true)

    /// Experts of every layer, those included that are never chosen.
    private let slots: Int

    /// Whether some layers have fewer.
    private let fillsUp: Bool

    private init(slots: Int, fillsUp: Bool = false) { (self.slots, self.fillsUp) = (slots, fillsUp) }

    init(holding model: ModelShape, profile: ExportProfile) {
        let counts = (0..<model.layers).filter(model.isRouted).map(model.expertCount(inLayer:))
        self.init(slots: counts.max() ?? 1, fillsUp: Set(counts).count > 1)
    }

    func settings(of model: ModelShape, _ routing: RoutingConfiguration) -> [String: JSONValue] {
        let routed = (0..<model.layers).filter(model.isRouted)
        return [
            "moe_num_experts": .integer(slots), "moe_k": .integer(model.expertsPerToken),
            "moe_intermediate_size": .integer(model.expertHiddenSize),
            "intermediate_size": .integer(model.dense == .none ? model.expertHiddenSize : model.dense.hiddenSize),
            "moe_num_shared_experts": .integer(model.shared.count(expertHiddenSize: model.expertHiddenSize)),
            "moe_layer_start_index": .integer(routed[0]), "moe_layer_end_index": .integer(routed[routed.count - 1]),
            "moe_layer_interval": .integer(1), "moe_norm_min": .number(1e-12), "use_bias": .boolean(false),
            // The class would take token 0.
            "pad_token_id": .null,
        ].merging(CommonSettings.headSize(of: model)) { $1 }
    }

    var notes: [String] {
        fillsUp
            ? ["the class has equally many experts in every layer: zeros that are never chosen fill up the others"] : []
    }

    static func read(_ keys: inout ConfigurationKeys) throws(Failure) -> ImportedConfiguration {
        let slots = try keys.integer("moe_num_experts", default: 64, in: 1...65_536)
        let expertsPerToken = try keys.integer("moe_k", default: 6, in: 1...slots)
        var model = try CommonSettings.read(
            &keys, hiddenKey: "moe_intermediate_size", experts: slots, expertsPerToken: expertsPerToken,
            CommonSettings.Defaults(tiesEmbeddings: true, normEpsilon: 1e-5, ropeBase: 500_000, keyHeads: 4))
        try readLayers(&keys, into: &model)
        let shared = try keys.integer("moe_num_shared_experts", default: 2, in: 0...65_536)
        if shared > 0 { model.shared = SharedExpertsConfiguration(hiddenSize: shared * model.expertHiddenSize) }
        try keys.require("use_bias", .boolean(false), feature: "a bias")
        // The most probable expert alone has more than 1/slots: so little is never reached.
        _ = try keys.number("moe_norm_min", default: 1e-12, in: 0...1e-6)
        return ImportedConfiguration(Ernie45MoE(slots: slots), model, normalizesGates: true)
    }

    /// Layer i has experts from a first to a last one on, if the interval divides i + 1.
    private static func readLayers(_ keys: inout ConfigurationKeys, into model: inout ModelShape) throws(Failure) {
        let first = try keys.integer("moe_layer_start_index", default: 1, in: 0...10_000)
        let end = try keys.integer("moe_layer_end_index", default: -1, in: -1...10_000)
        let interval = try keys.integer("moe_layer_interval", default: 1, in: 1...1 << 30)
        let last = end == -1 ? model.layers - 1 : end
        let dense = (0..<model.layers).filter { $0 < first || $0 > last || ($0 + 1) % interval != 0 }
        try SparseLayers.readDense(&keys, Set(dense), into: &model, because: "moe_layer_start_index")
    }

    func tensors(ofLayer layer: Int, of model: ModelShape) -> [ClassTensor] {
        let order = ClassTensor.RowOrder.interleavedRotary(headSize: model.attention.headSize)
        let attention = attentionTensors(layer, model, order: order), name = "model.layers.\(layer).mlp"
        guard model.isRouted(layer) else { return attention + denseTensors(name, layer, model) }
        return attention + routedTensors(layer, model, slots: slots)
            + [correctionBias(layer, experts: model.expertCount(inLayer: layer))]
            + sharedTensors("\(name).shared_experts", layer, model)
    }

    private func biasName(_ layer: Int) -> String { "model.layers.\(layer).mlp.moe_statics.e_score_correction_bias" }

    /// What is added to the probabilities, which lie between 0 and 1, before the largest are chosen.
    private func correctionBias(_ layer: Int, experts: Int) -> ClassTensor {
        let numbers = (0..<slots).map { $0 < experts ? Float(0) : -2 }
        return ClassTensor(biasName(layer), [1, slots], .filler(.numbers(numbers), accepting: .checked))
    }

    /// With the experts that each layer has, which the weights alone say.
    /// - Throws: `data` naming a correction bias that does more than leave experts out
    func settled(_ model: ModelShape, by files: WeightFiles) throws(Failure) -> ModelShape {
        var counts: [Int] = []
        for layer in 0..<model.layers where model.isRouted(layer) {
            counts.append(try experts(inLayer: layer, model, files))
        }
        // What stands for layers without experts changes nothing.
        for layer in model.dense.layers.sorted() { counts.insert(counts[0], at: layer) }
        var settled = model
        settled.experts = ExpertsPerLayer(byLayer: counts)
        return settled
    }

    private func experts(inLayer layer: Int, _ model: ModelShape, _ files: WeightFiles) throws(Failure) -> Int {
        let name = biasName(layer)
        guard try files.stored(name).count == slots else {
            throw Failure(.data, "\(files.directory): `\(name)` has not one number for each of \(slots) experts")
        }
        let bias = try files.read(name)
        let used = (0..<slots).prefix { bias[$0] == 0 }.count
        // A probability is at most 1.
        let leavesOut = used >= model.expertsPerToken && (used..<slots).allSatisfy { bias[$0] < -1 }
        guard leavesOut, try isCopied(layer, used - 1, into: used..<slots, model.dModel, files) else {
            throw Failure(
                .data, "\(files.directory): `\(name)` shifts the choice of experts, which is not supported",
                advice:
                    "only a bias that leaves the last experts of a layer out, as Switchyard writes it, can be taken over"
            )
        }
        return used
    }

    /// Whether the router's rows of experts that are never chosen are an expert's that can be: then they add a few times its
    /// probability to the softmax and leave the others their digits.
    private func isCopied(
        _ layer: Int, _ expert: Int, into others: Range<Int>, _ d: Int, _ files: WeightFiles
    ) throws(Failure) -> Bool {
        let name = "model.layers.\(layer).mlp.gate.weight"
        guard try files.stored(name).count == others.upperBound * d else { return false }
        let rows = try files.read(name)
        return others.allSatisfy { other in
            (0..<d).allSatisfy { rows[other * d + $0].bitPattern == rows[expert * d + $0].bitPattern }
        }
    }

    var turnsNeighbors: Bool { true }

    func feedForward(_ h: Tensor, _ name: String, in reference: ReferenceForward) throws(Failure) -> Tensor {
        try reference.routedAndShared(h, name, correction: "\(name).moe_statics.e_score_correction_bias")
    }
}
