import Conversion
import Diagnostics
import Foundation
import Testing

/// A check that finds nothing is worth nothing: exports are spoilt one way after the other.
struct ConversionCheckTests {
    /// Changes an export of a model of eight experts and returns what the check says.
    private func finding(_ spoil: (SpoiltExport) throws -> Void) throws -> String? {
        var message: String?
        try inScratchFolder { folder in
            let checkpoint = try TinyModel(["model.experts=8", "model.top_k=2"]).write(in: folder)
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

    @Test func aSharedExpertThatAddsSomething() throws {
        let message = try finding { export in
            for part in ["gate", "up", "down"] {
                try export.change("model.layers.0.mlp.shared_expert.\(part)_proj.weight") { $0[3] = 0x3F }
            }
        }
        #expect(message?.contains("is a real one: shared experts are not supported") == true)
    }

    @Test func aBiasThatAddsSomething() throws {
        let message = try finding { try $0.change("model.layers.0.self_attn.q_proj.bias") { $0[0] = 1 } }
        #expect(message?.contains("biases are not supported") == true)
    }

    @Test(arguments: [
        ("\"num_experts_per_tok\" : 2", "\"num_experts_per_tok\" : 1"),
        ("\"rope_theta\" : 10000", "\"rope_theta\" : 500"),
        ("\"norm_topk_prob\" : false", "\"norm_topk_prob\" : true"), ("2e-05", "3e-05"),
    ]) func settingsThatSayAnotherModel(old: String, new: String) throws {
        let message = try finding { try $0.edit("config.json", old, new) }
        #expect(message?.contains("config.json does not say what") == true, "\(message ?? "nothing found")")
    }

    @Test func aMissingTensor() throws {
        let message = try finding { export in
            try export.edit("model.safetensors", "model.layers.0.mlp.gate.weight", "model.layers.0.mlp.gone.weight")
        }
        #expect(message?.contains("no place for the tensor `model.layers.0.mlp.gone.weight`") == true)
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
