import JSON
import Configuration
import Diagnostics
import Model
import Tensors

/// A model class of `transformers` whose models ours compute. A value is the class as one model has it.
///
/// A class is one file in this folder and its name in `HuggingFaceClasses`.
protocol HuggingFaceClass: Sendable {
    /// As `architectures` has it.
    static var name: String { get }
    static var modelType: String { get }

    /// Reads a `config.json`, each key once.
    /// - Throws: `data` naming a setting that asks for what our models do not compute
    static func read(_ keys: inout ConfigurationKeys) throws(Failure) -> ImportedConfiguration

    /// The tensors of a layer, in the order in which an export writes them.
    func tensors(ofLayer layer: Int, of model: ModelShape) -> [ClassTensor]

    /// The model with what the weights alone say of it.
    func settled(_ model: ModelShape, by files: WeightFiles) throws(Failure) -> ModelShape

    /// Whether neighbors (2i, 2i + 1) of a head turn together, where ours are (i, i + size/2).
    var turnsNeighbors: Bool { get }

    /// What the class computes of its normalized input in place of `name`, straight from its files: the reference that an
    /// import or export is compared with.
    /// - Parameter h: `[tokens, dModel]`
    func feedForward(_ h: Tensor, _ name: String, in reference: ReferenceForward) throws(Failure) -> Tensor
}

/// A class in both directions: it holds models of ours exactly, and exports write it.
protocol ExportedClass: HuggingFaceClass {
    /// What it holds.
    static var traits: ClassTraits { get }

    /// - Parameters:
    ///   - model: one that the class holds
    ///   - profile: how much an export carries that the model does not need
    init(holding model: ModelShape, profile: ExportProfile)

    /// What its `config.json` says besides `CommonSettings`. Every value that decides a logit is stated, also where the class
    /// has it by default.
    func settings(of model: ModelShape, _ routing: RoutingConfiguration) -> [String: JSONValue]

    /// What a user should know of an export.
    var notes: [String] { get }
}

extension ExportedClass {
    var notes: [String] { [] }
}

extension HuggingFaceClass {
    var turnsNeighbors: Bool { false }

    func settled(_ model: ModelShape, by files: WeightFiles) throws(Failure) -> ModelShape { model }

    /// All tensors by part of the model: embedding, layers, final norm and head. Lazy, because a `config.json` may speak of
    /// more layers and experts than fit into memory.
    func tensors(of model: ModelShape) -> LazyMapSequence<ClosedRange<Int>, [ClassTensor]> {
        (-1...model.layers).lazy.map { part in
            switch part {
            case -1: [embeddingTensor(model)]
            case model.layers: finalTensors(model)
            default: tensors(ofLayer: part, of: model)
            }
        }
    }
}

/// The classes that are known.
enum HuggingFaceClasses {
    /// Those that are written, each where it is looked for: the first that holds a model is taken.
    static let exported: [any ExportedClass.Type] = [
        Llama.self, Qwen2.self, Qwen3.self, Mixtral.self, Qwen2MoE.self, Qwen3MoE.self, OLMoE.self, Ernie45MoE.self,
        DeepSeekMoE.self,
    ]

    /// Those that are read.
    static var all: [any HuggingFaceClass.Type] { exported + [Mistral.self] }

    /// - Throws: `configuration` naming the setting that no class holds
    static func holding(
        _ model: ModelShape, _ routing: RoutingConfiguration, profile: ExportProfile
    ) throws(Failure) -> any ExportedClass {
        guard model.norm == .rms else {
            throw Failure(
                .configuration,
                "model.norm is `\(model.norm.rawValue)`: no class of transformers has experts behind a LayerNorm of "
                    + "this kind",
                advice: "only models with `norm: rms` can go to Hugging Face")
        }
        guard model.finalNorm else {
            throw Failure(
                .configuration,
                "model.final_norm is false: all classes of transformers normalize what their head reads",
                advice: "only models with `final_norm: true` can go to Hugging Face")
        }
        guard model.rotary.fraction == 1 else {
            throw Failure(
                .configuration,
                "model.rope_fraction is \(model.rotary.fraction): all columns of a head turn in the classes that are written",
                advice: "only models with `rope_fraction: 1` can go to Hugging Face")
        }
        guard routing.balancing.state == nil else {
            throw Failure(
                .configuration,
                "routing.balancing is `\(routing.balancing.rawValue)`: none of the classes that are written has such a router",
                advice: "only models of another balancing can go to Hugging Face")
        }
        return try holdingFeedForward(model, routing, profile)
    }

    /// The first class that nothing keeps from holding the model.
    private static func holdingFeedForward(
        _ model: ModelShape, _ routing: RoutingConfiguration, _ profile: ExportProfile
    ) throws(Failure) -> any ExportedClass {
        let found = exported.map { ($0, $0.traits.obstacles(model, routing)) }
        if let first = found.first(where: { $0.1.isEmpty }) { return first.0.init(holding: model, profile: profile) }
        let fewest = found.map(\.1.count).min() ?? 0
        let nearest = found.filter { $0.1.count == fewest }.map { "\($0.0.name): \($0.1.joined(separator: ", "))" }
        throw Failure(
            .configuration,
            "no class of transformers holds this model. What keeps it from the nearest: "
                + nearest.joined(separator: "; "),
            advice: model.experts.uniform == nil && !routing.normalizeGates
                ? "convert prune --scope layer gives a model of equally many experts in every layer; Ernie 4.5 MoE holds "
                    + "other models that train with normalize_gates: true"
                : "change one of these settings before training")
    }

    static func named(modelType: String) -> (any HuggingFaceClass.Type)? { all.first { $0.modelType == modelType } }
}
