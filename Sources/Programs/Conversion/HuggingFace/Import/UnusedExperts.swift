import Configuration
import Diagnostics
import Model
import Platform
import Tensors

/// Experts that an Ernie 4.5 never chooses: how layers of different numbers of experts come.
extension ImportedConfiguration {
    /// Of all layers.
    var unusedExperts: Int {
        guard case .ernie45Moe(let slots) = kind else { return 0 }
        return model.expertCounts.reduce(0) { $0 + slots - $1 }
    }

    /// With the experts that each layer has, which the weights alone say.
    /// - Throws: `data` naming a correction bias that does more than leave experts out
    func settled(by files: WeightFiles) throws(Failure) -> ImportedConfiguration {
        guard case .ernie45Moe(let slots) = kind else { return self }
        var counts: [Int] = []
        for layer in 0..<model.layers { counts.append(try experts(inLayer: layer, of: slots, files)) }
        var settled = self
        settled.model.experts = ExpertsPerLayer(byLayer: counts)
        return settled
    }

    private func experts(inLayer layer: Int, of slots: Int, _ files: WeightFiles) throws(Failure) -> Int {
        let name = "model.layers.\(layer).mlp.moe_statics.e_score_correction_bias"
        guard try files.stored(name).count == slots else {
            throw Failure(.data, "\(files.directory): `\(name)` has not one number for each of \(slots) experts")
        }
        let bias = try files.read(name)
        let used = (0..<slots).prefix { bias[$0] == 0 }.count
        // A probability is at most 1.
        let leavesOut = used >= model.expertsPerToken && (used..<slots).allSatisfy { bias[$0] < -1 }
        guard leavesOut, try isCopied(layer, used - 1, into: used..<slots, files) else {
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
        _ layer: Int, _ expert: Int, into others: Range<Int>, _ files: WeightFiles
    ) throws(Failure) -> Bool {
        let name = "model.layers.\(layer).mlp.gate.weight", d = model.dModel
        guard try files.stored(name).count == others.upperBound * d else { return false }
        let rows = try files.read(name)
        return others.allSatisfy { other in
            (0..<d).allSatisfy { rows[other * d + $0].bitPattern == rows[expert * d + $0].bitPattern }
        }
    }
}
