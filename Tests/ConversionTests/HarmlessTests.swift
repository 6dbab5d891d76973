import TestSupport
import Checkpoints
import Conversion
import Foundation
import Tensors
import Testing
import Tokenizers

/// What directories of Hugging Face hold in the wild and what changes nothing.
struct HarmlessTests {
    /// Rewrites `model.safetensors` with other tensors: name, shape and numbers.
    private func rewrite(
        _ directory: String, _ change: (inout [(name: String, shape: [Int], values: Vector<Float>)]) -> Void
    ) throws {
        let path = directory + "/model.safetensors", file = try SafetensorsFile(path)
        var tensors = try file.tensors.map { (name: $0.name, shape: $0.shape, values: try file.read($0, 0..<$0.count)) }
        change(&tensors)
        tensors.sort { $0.name < $1.name }
        let writer = try SafetensorsWriter(path, tensors.map { SafetensorsEntry(name: $0.name, shape: $0.shape) })
        for (name, _, values) in tensors {
            try writer.begin(name)
            try writer.append(values)
        }
        try writer.finish()
    }

    private func edit(_ path: String, _ change: (inout [String: Any]) -> Void) throws {
        let json = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: path)))
        var values = try #require(json as? [String: Any])
        change(&values)
        try JSONSerialization.data(withJSONObject: values).write(to: URL(filePath: path))
    }

    private func imported(_ directory: String) throws -> [String: UInt64] {
        let target = directory + "-back"
        _ = try FromHuggingFace(directory, tokenizer: nil, context: nil).write(to: target, run: "b", versions: [:])
        return try digests(target)
    }

    @Test("frequencies of positions, a repeated tied head, and keys of bookkeeping") func tensorsAndKeys() throws {
        try inScratchFolder { folder in
            let checkpoint = try TinyModel(["model.experts=2", "model.tie_embeddings=true"]).write(in: folder)
            let directory = folder + "/e"
            try export(checkpoint, to: directory)
            try rewrite(directory) { tensors in
                let embedding = tensors.first { $0.name == "model.embed_tokens.weight" }!
                tensors.append(("lm_head.weight", embedding.shape, embedding.values))
                for layer in 0..<3 {
                    tensors.append(
                        ("model.layers.\(layer).self_attn.rotary_emb.inv_freq", [3], Vector([1, 0.5, 0.25])))
                }
            }
            try edit(directory + "/config.json") { keys in
                keys["auto_map"] = ["AutoConfig": "configuration.Mine"]
                keys["tokenizer_class"] = "GPT2TokenizerFast"
                keys["_attn_implementation_autoset"] = true
                keys["temperature"] = 0.7
                keys["id2label"] = ["0": "LABEL_0"]
            }
            #expect(try imported(directory) == digests(checkpoint))
        }
    }

    @Test("a head that config.json ties to another embedding is no repetition") func otherHead() throws {
        try inScratchFolder { folder in
            let checkpoint = try TinyModel(["model.experts=2", "model.tie_embeddings=true"]).write(in: folder)
            try export(checkpoint, to: folder + "/e")
            try rewrite(folder + "/e") { tensors in
                let embedding = tensors.first { $0.name == "model.embed_tokens.weight" }!
                let values = Vector(embedding.values.array)
                values[7] += 1
                tensors.append(("lm_head.weight", embedding.shape, values))
            }
            let message = refusal { _ = try imported(folder + "/e") }
            #expect(message?.contains("`lm_head.weight` is not the embedding") == true, "\(message ?? "accepted")")
        }
    }

    @Test("special tokens behind the end of text stand in no text, as far as the model has rows for them")
    func padding() throws {
        try inScratchFolder { folder in
            let checkpoint = try TinyModel(["model.experts=2"]).write(in: folder)
            for (token, id, isAccepted) in [
                ("<pad>", 257, true), ("<|im_start|>", 257, true), ("<|im_start|>", 5000, false), ("<pad>", 255, false),
            ] {
                let directory = folder + "/e\(token)\(id)"
                try export(checkpoint, to: directory)
                try edit(directory + "/tokenizer.json") { file in
                    let added = file["added_tokens"] as? [[String: Any]] ?? []
                    file["added_tokens"] = added + [["id": id, "content": token, "special": true]]
                }
                let message = refusal {
                    let found = try imported(directory)
                    #expect(try found == digests(checkpoint))
                }
                #expect((message == nil) == isAccepted, "\(token) \(id): \(message ?? "accepted")")
            }
        }
    }
}
