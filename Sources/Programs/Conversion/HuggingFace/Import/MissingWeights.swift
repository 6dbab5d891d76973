import Diagnostics
import Foundation

/// A Hugging Face directory without the files that `WeightFiles` reads: what is there in their place, and what to do.
struct MissingWeights {
    private let directory: String
    /// Files in the directory that look like weights, in order.
    private let found: [String]

    init(_ directory: String) {
        self.directory = directory
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        found = names.filter(Self.looksLikeWeights).sorted()
    }

    private static func looksLikeWeights(_ name: String) -> Bool {
        let endings = [
            ".safetensors", ".safetensors.index.json", ".bin", ".bin.index.json", ".pt", ".pth", ".h5", ".msgpack",
            ".gguf",
        ]
        return endings.contains { name.hasSuffix($0) } && name != "training_args.bin"
    }

    var failure: Failure {
        let missing = "\(directory) has no model.safetensors and no model.safetensors.index.json"
        guard !found.isEmpty else {
            return Failure(.noInput, missing, advice: "download the weights too: only the small files are there")
        }
        let names = found.prefix(4).joined(separator: ", ") + (found.count > 4 ? ", … (\(found.count) files)" : "")
        return Failure(.noInput, "\(missing), but \(names)", advice: advice)
    }

    private var advice: String {
        if found.contains(where: { $0.hasPrefix("adapter_model.") }) {
            return "an adapter is a part of a model: merge it into its base with peft (merge_and_unload) and save the "
                + "result"
        }
        if let shard = found.first(where: { $0.wholeMatch(of: /model-\d+-of-\d+\.safetensors/) != nil }) {
            return "\(shard) is one of several files: copy model.safetensors.index.json, which says what each holds, "
                + "from where they come from"
        }
        if let variant = found.compactMap({ $0.wholeMatch(of: /model\.([A-Za-z0-9_]+)\.safetensors/)?.1 }).first {
            return "`\(variant)` is a variant of the model; save it under the plain name with transformers: "
                + saving("variant='\(variant)'")
        }
        if found.contains(where: { $0.hasPrefix("pytorch_model") || $0.hasSuffix(".h5") || $0.hasSuffix(".msgpack") }) {
            return "save it as safetensors with transformers: " + saving("torch_dtype='auto'")
        }
        return "only safetensors files under these names are read"
    }

    /// A command that loads the directory and saves it again; what it leaves is a directory beside it.
    private func saving(_ option: String) -> String {
        "python3 -c \"from transformers import AutoModelForCausalLM as M; "
            + "M.from_pretrained('\(directory)', \(option)).save_pretrained('\(directory)-safetensors', "
            + "safe_serialization=True)\", then copy the tokenizer's files there"
    }
}
