import Configuration
import Diagnostics
import Platform
import Tensors

/// Parts that a Qwen2-MoE has and our models do not: they must add nothing, number by number.
struct InertTensors {
    private let model: ImportedModel

    init(_ model: ImportedModel) { self.model = model }

    /// - Throws: `data` naming the bias or the shared expert that adds something
    func require() throws(Failure) {
        guard case .qwen2Moe(let sharedHidden, _) = model.configuration.kind else { return }
        for name in model.files.tensors.keys.sorted() {
            guard case .bias = TensorPlacement.of(name, in: model.configuration)?.place else { continue }
            guard try isZero(name) else {
                throw Failure(.data, "\(model.directory): `\(name)` is not zero: biases are not supported")
            }
        }
        guard sharedHidden > 0 else { return }
        for layer in 0..<model.configuration.model.layers { try requireSharedExpert(layer) }
    }

    /// `down(silu(gate·x) · (up·x))` is zero where one of the three is, at any input.
    private func requireSharedExpert(_ layer: Int) throws(Failure) {
        let name = "model.layers.\(layer).mlp.shared_expert"
        for matrix in ["down_proj", "gate_proj", "up_proj"] where try isZero("\(name).\(matrix).weight") { return }
        throw Failure(
            .data, "\(model.directory): `\(name)` is a real one: shared experts are not supported",
            advice: "only a shared expert whose weights are zeros, as Switchyard writes it, can be left out")
    }

    private func isZero(_ name: String) throws(Failure) -> Bool {
        let count = try model.files.stored(name).count, piece = 1 << 22
        for start in stride(from: 0, to: count, by: piece) {
            let values = try model.files.read(name, start..<min(start + piece, count))
            // Bits, all together: a thread may take denormals for zeros, and the compiler turns a comparison of one number's
            // bits with zero into one of the number.
            var bits: UInt32 = 0
            for i in 0..<values.count { bits |= values[i].bitPattern & 0x7FFF_FFFF }
            guard bits == 0 else { return false }
        }
        return true
    }
}
