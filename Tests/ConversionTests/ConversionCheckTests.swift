import TestSupport
import Conversion
import Foundation
import Platform
import Testing

/// A check that finds nothing is worth nothing: exports are spoilt one way after the other.
struct ConversionCheckTests {
    /// Changes an export of a model of eight experts and returns what the check says.
    private func finding(
        in model: [String] = ["model.experts=8", "model.top_k=2"], _ spoil: (SpoiltExport) throws -> Void
    ) throws -> String? {
        var message: String?
        try inScratchFolder { folder in
            let checkpoint = try TinyModel(model).write(in: folder)
            let directory = folder + "/e"
            try export(checkpoint, to: directory)
            _ = try check(directory, is: checkpoint)
            try spoil(SpoiltExport(directory: directory))
            message = refusal { _ = try check(directory, is: checkpoint) }
        }
        return message
    }

    @Test func oneBitOfOneNumber() throws {
        let message = try finding { export in
            try export.change("model.layers.1.mlp.experts.5.down_proj.weight") { $0[17] ^= 1 }
        }
        #expect(message?.contains("what makes up blocks.1.experts.down is not") == true)
    }

    @Test func twoExpertsChangePlaces() throws {
        let name = "model.layers.0.mlp.experts"
        let message = try finding { try $0.swap("\(name).2.up_proj.weight", "\(name).3.up_proj.weight") }
        #expect(message?.contains("blocks.0.experts.gate_up") == true)
    }

    @Test func gateAndUpChangePlaces() throws {
        let name = "model.layers.2.mlp.experts.0"
        let message = try finding { try $0.swap("\(name).gate_proj.weight", "\(name).up_proj.weight") }
        #expect(message?.contains("blocks.2.experts.gate_up") == true)
    }

    @Test func aSharedExpertThatAddsSomethingMakesItAnotherModel() throws {
        let message = try finding { export in
            for part in ["gate", "up", "down"] {
                try export.change("model.layers.0.mlp.shared_expert.\(part)_proj.weight") { $0[3] = 0x3F }
            }
        }
        #expect(message?.contains("config.json does not say what") == true)
    }

    @Test func aBiasThatAddsSomethingMakesItAnotherModel() throws {
        let message = try finding { try $0.change("model.layers.0.self_attn.q_proj.bias") { $0[0] = 1 } }
        #expect(message?.contains("config.json does not say what") == true)
    }

    @Test(arguments: [
        ("\"num_experts_per_tok\" : 2", "\"num_experts_per_tok\" : 1"),
        ("\"rope_theta\" : 10000", "\"rope_theta\" : 500"),
        ("\"norm_topk_prob\" : false", "\"norm_topk_prob\" : true"), ("2e-05", "3e-05"),
    ]) func settingsThatSayAnotherModel(old: String, new: String) throws {
        let message = try finding { try $0.edit("config.json", old, new) }
        #expect(message?.contains("config.json does not say what") == true, "\(message ?? "nothing found")")
    }

    private static let uneven = ["model.experts=[8, 4, 6]", "model.top_k=2", "routing.normalize_gates=true"]
    private static let correctionBias = "model.layers.1.mlp.moe_statics.e_score_correction_bias"

    /// Bytes 12 to 15 are the last expert's that stays, 20 to 23 the second's that is left out.
    @Test(arguments: [(15, UInt8(0x3E)), (15, 0x01), (23, 0xBF), (23, 0x40)])
    func aCorrectionBiasThatOnlyShifts(byte: Int, value: UInt8) throws {
        let message = try finding(in: Self.uneven) { try $0.change(Self.correctionBias) { $0[byte] = value } }
        #expect(message?.contains("shifts the choice of experts, which is not supported") == true)
    }

    /// A layer of five experts where the checkpoint has four.
    @Test func anExpertThatIsNotLeftOut() throws {
        let message = try finding(in: Self.uneven) { export in
            try export.change(Self.correctionBias) { $0.replaceSubrange(16..<20, with: [0, 0, 0, 0]) }
        }
        #expect(message?.contains("config.json does not say what") == true, "\(message ?? "nothing found")")
    }

    @Test func aRouterThatDrownsTheOthers() throws {
        let message = try finding(in: Self.uneven) { export in
            try export.change("model.layers.1.mlp.gate.weight") { $0[4 * 12 * 7 + 3] ^= 1 }
        }
        #expect(message?.contains("e_score_correction_bias` shifts the choice") == true)
    }

    /// Of a query, which turn with each other.
    @Test func twoRowsChangePlaces() throws {
        let message = try finding(in: Self.uneven) { export in
            try export.change("model.layers.2.self_attn.q_proj.weight") { bytes in
                for i in 0..<48 { bytes.swapAt(i, 48 + i) }
            }
        }
        #expect(message?.contains("what makes up blocks.2.attention.qkv is not") == true)
    }

    @Test func aMissingTensor() throws {
        let message = try finding { export in
            try export.edit("model.safetensors", "model.layers.0.mlp.gate.weight", "model.layers.0.mlp.gone.weight")
        }
        #expect(message?.contains("no place for the tensor `model.layers.0.mlp.gone.weight`") == true)
    }

    /// More than is there, and more than would fit into memory.
    @Test(arguments: [4, 10_000]) func layersThatAreMissing(layers: Int) throws {
        let key = "\"num_hidden_layers\" : "
        let message = try finding { try $0.edit("config.json", "\(key)3", "\(key)\(layers)") }
        let first = "the tensor `model.layers.3.input_layernorm.weight` is missing"
        #expect(message?.contains(first) == true, "\(message ?? "nothing found")")
    }
}

/// An export whose files are changed behind its back.
struct SpoiltExport {
    let directory: String

    /// Bytes of one tensor.
    func change(_ name: String, _ body: (inout [UInt8]) -> Void) throws {
        let path = directory + "/model.safetensors"
        let tensor = try tensor(name), place = tensor.offset..<tensor.offset + 4 * tensor.count
        var bytes = try fileBytes(path), part = Array(bytes[place])
        body(&part)
        bytes.replaceSubrange(place, with: part)
        try Data(bytes).write(to: URL(filePath: path))
    }

    func swap(_ a: String, _ b: String) throws {
        let bytes = try fileBytes(directory + "/model.safetensors"), one = try tensor(a), other = try tensor(b)
        let first = Array(bytes[one.offset..<one.offset + 4 * one.count])
        let second = Array(bytes[other.offset..<other.offset + 4 * other.count])
        try change(a) { $0 = second }
        try change(b) { $0 = first }
    }

    /// Replaces bytes of a file, which must be there once.
    func edit(_ file: String, _ old: String, _ new: String) throws {
        let bytes = try fileBytes("\(directory)/\(file)")
        let ranges = bytes.ranges(of: Array(old.utf8))
        try #require(ranges.count == 1)
        let changed = bytes[..<ranges[0].lowerBound] + Array(new.utf8) + bytes[ranges[0].upperBound...]
        try Data(changed).write(to: URL(filePath: "\(directory)/\(file)"))
    }

    private func tensor(_ name: String) throws -> SafetensorsTensor {
        try #require(try SafetensorsFile(directory + "/model.safetensors").tensors.first { $0.name == name })
    }
}
