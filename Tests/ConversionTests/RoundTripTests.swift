import TestSupport
import Checkpoints
import Configuration
import Conversion
import Foundation
import MPI
import Parallelism
import Platform
import RunFormat
import Tensors
import Testing

struct RoundTripTests {
    @Test(arguments: TinyModel.routing.keys.sorted(), ExportProfile.allCases)
    func toHuggingFaceAndBackIsTheSameModel(name: String, profile: ExportProfile) throws {
        try inScratchFolder { folder in
            let model = try TinyModel(TinyModel.routing[name] ?? [])
            let checkpoint = try model.write(in: folder + "/checkpoints"), directory = folder + "/export"
            try export(checkpoint, to: directory, profile, shard: 9000)
            let found = try check(directory, is: checkpoint)
            #expect(found.largestDifference < 1e-5 * found.largestLogit)
            #expect(found.largestLogit > 0.1 && found.tokens == 48)

            let back = folder + "/back"
            _ = try FromHuggingFace(directory, tokenizer: nil, context: nil).write(to: back, run: "back", versions: [:])
            var (before, after) = (try digests(checkpoint), try digests(back))
            // The routers of a model of one expert have no effect, and no place in a Llama.
            if model.configuration.model.isDense {
                let reader = try CheckpointReader(back)
                for name in before.keys where name.hasSuffix("router") {
                    #expect(try reader.read(name, offset: [0, 0], shape: [12, 1]).array.allSatisfy { $0 == 0 })
                    (before[name], after[name]) = (0, 0)
                }
            }
            #expect(before == after)
            let again = folder + "/again"
            try export(back, to: again, profile, shard: 9000)
            for file in try FileManager.default.contentsOfDirectory(atPath: directory) {
                #expect(try fileBytes("\(directory)/\(file)") == fileBytes("\(again)/\(file)"), "\(file)")
            }
        }
    }

    @Test(arguments: ["one expert", "two of eight", "uneven, two normalized"]) func whoSavedDoesNotShow(name: String)
        throws
    {
        try inScratchFolder { folder in
            let model = try TinyModel(TinyModel.routing[name] ?? [])
            for ranks in [1, 4] {
                let checkpoint = try model.write(in: "\(folder)/checkpoints-\(ranks)", ranks: ranks)
                try export(checkpoint, to: "\(folder)/export-\(ranks)", shard: 20_000)
            }
            let files = try FileManager.default.contentsOfDirectory(atPath: folder + "/export-1").sorted()
            #expect(files == (try FileManager.default.contentsOfDirectory(atPath: folder + "/export-4").sorted()))
            #expect(files.filter { $0.hasSuffix(".safetensors") }.count > 1)
            for file in files {
                #expect(try fileBytes("\(folder)/export-1/\(file)") == fileBytes("\(folder)/export-4/\(file)"))
            }
        }
    }

    @Test func filesStayWithinTheirSize() throws {
        try inScratchFolder { folder in
            try export(TinyModel(["model.experts=8"]).write(in: folder), to: folder + "/e", shard: 5000)
            for file in try FileManager.default.contentsOfDirectory(atPath: folder + "/e")
            where file.hasSuffix(".safetensors") {
                let tensors = try SafetensorsFile("\(folder)/e/\(file)").tensors
                #expect(tensors.count == 1 || tensors.reduce(0) { $0 + 4 * $1.count } <= 5000)
            }
        }
    }

    @Test func whatNoClassHoldsIsRefused() throws {
        try inScratchFolder { folder in
            let checkpoint = try TinyModel(["model.norm=layer"]).write(in: folder)
            let message = refusal { try export(checkpoint, to: folder + "/e") }
            #expect(message?.contains("model.norm is `layer`") == true)
        }
    }

    @Test(arguments: [
        (
            ["model.experts=4", "model.attention_bias=all", "model.head_size=8"],
            "Qwen3MoeForCausalLM: model.qk_norm is `none`, not `head`"
        ),
        (
            ["model.experts=4", "model.attention_bias=all", "model.head_size=8"],
            "Qwen2MoeForCausalLM: model.attention_bias is `all`, not `none` or `qkv`; "
        ),
        (
            ["model.experts=4", "model.attention_bias=qkv", "model.qk_norm=head"],
            "Qwen3MoeForCausalLM: model.attention_bias is `qkv`, not `none` or `all`"
        ),
        (
            ["model.experts=[3, 2, 4]", "routing.normalize_gates=true", "model.attention_bias=qkv"],
            "Qwen2MoeForCausalLM: model.experts is [3, 2, 4], not the same in every layer"
        ),
        (
            ["model.attention_bias=qkv", "model.qk_norm=all"],
            "OlmoeForCausalLM: model.attention_bias is `qkv`, not `none` or `all`"
        ),
        (
            ["model.experts=4", "model.shared_experts=1", "model.dense_layers=[1]"],
            "DeepseekForCausalLM: model.dense_layers is [1]; it can have the first ones"
        ),
        (
            ["model.experts=4", "model.shared_experts=1", "model.shared_hidden_size=35"],
            "DeepseekForCausalLM: model.shared_hidden_size is 35, no multiple of an expert's (36)"
        ),
        (
            ["model.experts=4", "model.shared_experts=1", "routing.normalize_gates=true", "model.attention_bias=all"],
            "DeepseekForCausalLM: routing.normalize_gates is true, with one expert a token"
        ),
        (
            ["model.experts=4", "model.shared_experts=1", "model.qk_norm=head"],
            "Qwen3MoeForCausalLM: there are model.shared_experts"
        ),
        (["model.head_size=8", "model.rope_fraction=0.5"], "model.rope_fraction is 0.5"),
        (
            ["model.experts=4", "model.shared_experts=1", "model.rope_scaling=linear", "model.rope_factor=2"],
            "DeepseekForCausalLM: model.rope_scaling is `linear`, not `none`"
        ),
        (
            ["model.head_size=8", "model.qk_norm=all"],
            "OlmoeForCausalLM: model.heads × model.head_size is 16, not model.d_model (12)"
        ),
    ])
    func whatKeepsTheNearestClassesFromHoldingAModelIsNamed(settings: [String], words: String) throws {
        try inScratchFolder { folder in
            let checkpoint = try TinyModel(settings).write(in: folder)
            let message = refusal { try export(checkpoint, to: folder + "/e") }
            #expect(message?.contains(words) == true, "\(message ?? "accepted")")
        }
    }

    /// What the experts add that fill a layer up cancels only where gates are divided by their sum.
    @Test(arguments: [1, 2]) func unevenLayersWithPlainGatesAreRefused(topK: Int) throws {
        try inScratchFolder { folder in
            let checkpoint = try TinyModel(["model.experts=[3, 2, 4]", "model.top_k=\(topK)"]).write(in: folder)
            let message = refusal { try export(checkpoint, to: folder + "/e") }
            let words = "Ernie4_5_MoeForCausalLM: routing.normalize_gates is false, not true"
            #expect(message?.contains(words) == true, "\(message ?? "accepted")")
        }
    }
}
