package import Diagnostics

/// Which normalization stands before every block's two halves and before the head.
package enum NormKind: String, CaseIterable, Sendable { case rms, layer }

/// How the values of matrices are drawn before training.
package enum InitializationKind: String, CaseIterable, Sendable {
    /// Cut at two standard deviations; a matrix's fan-in is the size of what it multiplies.
    case switchTransformers = "switch"
    /// As the joint study's program: cut at ±0.2; the fan-in of a layer's down-projections counts the hidden units of all its
    /// experts.
    case llmRandom = "llm-random"
}

/// Entries that a vocabulary has at most: a token is an `Int32`.
package let largestVocabulary = Int(Int32.max)

/// The `model` section as it is written: the vocabulary is nil where it is left to the tokenizer.
package typealias ModelConfiguration = ModelDescription<Int?>

/// The shape of a model: everything that decides which parameters exist.
package typealias ModelShape = ModelDescription<Int>

/// A model whose vocabulary is known (`ModelShape`) or may not be yet (`ModelConfiguration`). What needs parameters takes the
/// one, so that nobody can forget to ask the tokenizer.
package struct ModelDescription<Vocabulary: Sendable & Equatable>: Sendable, Equatable {
    package var dModel: Int
    package var layers: Int
    package var attention: AttentionConfiguration
    /// Tokens a sequence is trained on.
    package var context: Int
    package var vocabularySize: Vocabulary
    package var experts: ExpertsPerLayer
    package var topK: Int
    /// G: into how many pieces an expert is cut; a token goes to G times as many.
    package var granularity: Int
    /// Hidden size of a dense feed-forward over `dModel`.
    package var feedForward: Double
    package var shared: SharedExpertsConfiguration
    package var dense: DenseLayersConfiguration
    package var tieEmbeddings: Bool
    /// The tensor of a layer in which the routing rule keeps a number for every expert (`LoadBalancingKind.state`); nil: none.
    package var routerState: String?
    package var norm: NormKind
    package var normEpsilon: Double
    /// Whether a norm stands before the head.
    package var finalNorm: Bool
    package var rotary: RotaryConfiguration
    package var initialization: InitializationKind
    /// `s` of σ = √(s / fan_in).
    package var initializationScale: Double

    package init(
        dModel: Int, layers: Int, heads: Int, context: Int, vocabularySize: Vocabulary, experts: ExpertsPerLayer = 1,
        topK: Int = 1,
        granularity: Int = 1, feedForward: Double = 3, tieEmbeddings: Bool = false, routerState: String? = nil,
        norm: NormKind = .rms,
        normEpsilon: Double = 1e-5, finalNorm: Bool = true, ropeBase: Double = 10_000,
        initialization: InitializationKind = .switchTransformers, initializationScale: Double = 0.1
    ) {
        self.dModel = dModel
        self.layers = layers
        attention = AttentionConfiguration(heads: heads, headSize: dModel / heads)
        self.context = context
        self.vocabularySize = vocabularySize
        self.experts = experts
        self.topK = topK
        self.granularity = granularity
        self.feedForward = feedForward
        (shared, dense) = (.none, .none)
        self.tieEmbeddings = tieEmbeddings
        self.routerState = routerState
        self.norm = norm
        self.normEpsilon = normEpsilon
        self.finalNorm = finalNorm
        rotary = RotaryConfiguration(base: ropeBase)
        self.initialization = initialization
        self.initializationScale = initializationScale
    }

    /// Experts of a layer, G·E; 0 in a dense one.
    package func expertCount(inLayer layer: Int) -> Int { isRouted(layer) ? experts[layer: layer] * granularity : 0 }
    /// Whether a layer has a router and experts.
    package func isRouted(_ layer: Int) -> Bool { !dense.layers.contains(layer) }
    /// Layers that have.
    package var routedLayers: Int { layers - dense.layers.count }
    /// The same of every layer.
    package var expertCounts: [Int] { (0..<layers).map(expertCount(inLayer:)) }
    /// Whether every layer has one expert, to which all tokens go.
    package var isDense: Bool { experts == 1 && granularity == 1 && dense == .none }
    /// Experts a token goes to, G·topK.
    package var expertsPerToken: Int { topK * granularity }
    /// Hidden size of one expert.
    package var expertHiddenSize: Int { Self.hiddenSize(feedForward, dModel, pieces: granularity) }
    /// Hidden units that all tokens of a layer pass: those of shared experts, or of a dense layer.
    package func unroutedHiddenSize(inLayer layer: Int) -> Int {
        isRouted(layer) ? shared.hiddenSize : dense.hiddenSize
    }

    private static func hiddenSize(_ feedForward: Double, _ dModel: Int, pieces: Int) -> Int {
        Int((feedForward * Double(dModel) / Double(pieces)).rounded())
    }

    /// Elements of the blocks' matrices without routers and gates.
    /// - Parameter experts: of all layers together
    package func matrixElements(experts: Double) -> Double {
        let hidden = (0..<layers).reduce(0.0) { $0 + Double(unroutedHiddenSize(inLayer: $1)) }
        return attention.matrixElements(dModel: dModel) * Double(layers)
            + 3 * Double(dModel) * (hidden + Double(expertHiddenSize) * experts)
    }
}

extension ModelDescription<Int?> {
    /// - Parameters:
    ///   - section: `model`
    ///   - routerState: what the section `routing` says of it
    /// - Throws: `configuration` for shapes that do not fit each other, with the ones that would
    package init(reading section: ConfigurationSection, routerState: String? = nil) throws(Failure) {
        self.routerState = routerState
        dModel = try section.integer("d_model", in: 1...1 << 20)
        layers = try section.integer("layers", in: 1...10_000)
        attention = try AttentionConfiguration(reading: section, dModel: dModel)
        context = try section.integer("context", in: 1...1 << 24)
        vocabularySize = try section.integerOrAuto("vocabulary_size", in: 1...largestVocabulary)
        experts = ExpertsPerLayer(
            byLayer: try section.integers("experts", each: "layer", count: layers, default: 1, in: 1...65_536))
        topK = try section.integer("top_k", default: 1, in: 1...65_536)
        granularity = try section.integer("granularity", default: 1, in: 1...65_536)
        feedForward = try section.number("feed_forward", default: 3, in: 0.001...1000)
        shared = try SharedExpertsConfiguration(
            reading: section, expertHiddenSize: Self.hiddenSize(feedForward, dModel, pieces: granularity))
        dense = try DenseLayersConfiguration(
            reading: section, layers: layers, hiddenSize: Self.hiddenSize(feedForward, dModel, pieces: 1))
        experts = experts.passingOver(dense.layers, layers: layers)
        tieEmbeddings = try section.boolean("tie_embeddings", default: false)
        norm = try section.choice("norm", default: .rms)
        normEpsilon = try section.number("norm_epsilon", default: 1e-5, in: 0...1)
        finalNorm = try section.boolean("final_norm", default: true)
        rotary = try RotaryConfiguration(reading: section, context: context, headSize: attention.headSize)
        initialization = try section.choice("initialization", default: .switchTransformers)
        initializationScale = try section.number("initialization_scale", default: 0.1, in: 1e-9...1e3)
        try checkShapes(section)
    }

    /// The model once the tokenizer is known: with its vocabulary, or with the larger one that is written.
    /// - Parameter tokenizer: the tokenizer's number of tokens
    /// - Throws: `configuration` if the vocabulary that is written is smaller
    package func resolved(tokenizer: Int) throws(Failure) -> ModelShape {
        let size = vocabularySize ?? tokenizer
        guard size >= tokenizer else {
            throw Failure(
                .configuration, "`model.vocabulary_size` is \(size), but the tokenizer has \(tokenizer) tokens",
                advice: "leave it out, or give at least \(tokenizer)")
        }
        var shape = ModelShape(
            dModel: dModel, layers: layers, heads: attention.heads, context: context, vocabularySize: size,
            experts: experts,
            topK: topK, granularity: granularity, feedForward: feedForward, tieEmbeddings: tieEmbeddings,
            routerState: routerState,
            norm: norm, normEpsilon: normEpsilon, finalNorm: finalNorm,
            initialization: initialization, initializationScale: initializationScale)
        (shape.attention, shape.rotary, shape.shared, shape.dense) = (attention, rotary, shared, dense)
        return shape
    }

    private func checkShapes(_ section: ConfigurationSection) throws(Failure) {
        let hidden = feedForward * Double(dModel) / Double(granularity)
        guard hidden >= 1, abs(hidden - hidden.rounded()) < 1e-6 else {
            throw section.failure(
                "feed_forward", "× d_model / granularity = \(hidden) is no whole number of hidden units",
                advice:
                    "choose feed_forward and granularity so that \(feedForward) × \(dModel) / \(granularity) is whole")
        }
        try checkSize(section)
        let fewest = (0..<layers).filter(isRouted).map(expertCount(inLayer:)).min() ?? 0
        guard expertsPerToken <= fewest else {
            let place = experts.uniform == nil ? " in layer \(expertCounts.firstIndex(of: fewest)!)" : ""
            throw section.failure(
                "top_k",
                "× granularity = \(expertsPerToken) choices per token, but there are only \(fewest) experts\(place)",
                advice: "top_k may be at most experts = \(fewest / granularity)")
        }
    }

    private func checkSize(_ section: ConfigurationSection) throws(Failure) {
        let d = Double(dModel), vocabulary = Double(vocabularySize ?? 1)
        let blocks = matrixElements(experts: expertCounts.reduce(0.0) { $0 + Double($1) })
        guard expertCounts.allSatisfy({ $0 <= mostExperts }) else {
            throw section.failure(
                "experts", "× granularity give more than \(mostExperts) experts a layer",
                advice: "lower model.experts or model.granularity")
        }
        guard 2 * vocabulary * d + blocks < mostParameters else {
            throw section.failure(
                "d_model", "× layers × experts give more than \(mostParameters) parameters",
                advice: "make the model smaller")
        }
    }
}

/// Beyond this many parameters counts stop fitting into machine words somewhere.
private let mostParameters = 1e15

/// Of a layer: routes have an entry for each token and expert.
private let mostExperts = 1 << 20
