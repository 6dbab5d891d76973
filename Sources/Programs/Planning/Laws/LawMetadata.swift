import Platform

/// What is known of a law whatever its coefficients are.
package struct LawMetadata: Sendable {
    /// Its name on the command line.
    package let name: String
    package let title: String
    /// Authors, title, where.
    package let source: String
    package let formula: String
    package let parameters: [LawParameter]
    /// Terms of the sum.
    package let terms: Int
    /// Which parameters N is; nil for a law without N.
    package let size: SizeMeasure?
    package let counting: Counting
    /// The runs that the published coefficients were fitted to.
    package let domain: FittedDomain
    /// What the law can tell apart besides N and D.
    package let variables: Set<Axis>
    /// The paper's objective and start grid.
    package let recipe: FitRecipe
    /// The column that the law predicts.
    package var observes = Observable.loss
    /// Sets of published coefficients, in the order of `parameters`, by their names on the command line.
    package var published: [(name: String, parameters: [Double])] = []
    /// Root mean square error of the losses that the published coefficients predict, as the paper reports it.
    package var publishedRMSE: Double?
    /// Whether the law holds for dense models, too; otherwise it was fitted to mixtures of experts alone.
    package var describesDense = true
    /// The paper's law of dense models beside one of mixtures of experts alone; nil where the paper has none.
    package var denseBaseline: (any ScalingLaw)?
    /// Runs with which fits of this law are tested; nil for none.
    package var simulation: LawSimulation?

    /// Tokens of the runs behind a law without D; nil for a law of D.
    package var fixedTokens: Double? { variables.contains(.tokens) ? nil : domain.tokens.lowerBound }

    package enum Observable: String, Sendable {
        case loss, leverage
        package var unit: String { self == .loss ? " nats" : "" }
    }

    package enum Axis: String, Sendable, CaseIterable {
        case tokens, experts, granularity, topK = "top_k", sharedRatio = "shared_ratio", flops
    }

    /// The law's N at a point.
    package func logSize(of point: ScalePoint) -> Double {
        switch size {
        case .active: point.logActive
        case .total, .totalAndActive: point.logTotal
        case .totalWithoutEmbedding: point.logBody
        case nil: 0
        }
    }
}

/// What a law calls N.
package enum SizeMeasure: String, Sendable {
    case active = "active parameters, with embedding and head"
    case total = "total parameters, with embedding and head"
    case totalWithoutEmbedding = "total parameters, without embedding and head"
    case totalAndActive = "total and active parameters, with embedding and head"

    /// Whether active parameters are asked for.
    var isActive: Bool { self == .active || self == .totalAndActive }
}

/// One coefficient or exponent of a law.
package struct LawParameter: Sendable, Equatable {
    package enum Coordinate: Sendable, Equatable {
        /// Positive; its logarithm enters term k, alone and with slope 1, so that the loss is linear in it.
        case coefficient(term: Int)
        /// Positive; θ is its logarithm.
        case positive
        /// θ is the number itself.
        case plain
        /// Positive; θ is its logarithm, and the terms are not linear in it.
        case factor
        /// `E_start`; θ is `ln s`, `1/s = 1/E_start − 1/E_max`; the next parameter is `E_max`.
        case saturationStart
    }

    package let name: String
    package let coordinate: Coordinate
    /// E_start and E_max, where Ê goes flat.
    var isSaturation: Bool { coordinate == .positive || coordinate == .saturationStart }
    /// Whether the terms u_k are linear in θ.
    package let isLinear: Bool
    /// An interval wider than this (in θ) says nothing: the data do not determine the parameter.
    package let width: Double
    /// Values that mean something; a fit stays inside. Of E_start's coordinate: values of s.
    package let bounds: ClosedRange<Double>

    /// - Parameters:
    ///   - name: in tables and files
    ///   - coordinate: how θ follows from the value
    ///   - width: of an interval in θ that says nothing; by default a factor of 30, or 0.5 in an exponent
    ///   - bounds: unless given, all coefficients that a loss can have, and exponents from 0 to 3
    ///   - isNested: whether a number that is itself θ stands inside of a term's logarithm, with others
    init(
        _ name: String, _ coordinate: Coordinate, width: Double? = nil, bounds: ClosedRange<Double>? = nil,
        isNested: Bool = false
    ) {
        self.name = name
        self.coordinate = coordinate
        isLinear = !isNested && ![.positive, .saturationStart, .factor].contains(coordinate)
        self.bounds =
            bounds
            ?? {
                switch coordinate {
                case .coefficient, .factor: 1e-9...1e26
                case .plain: 0...3
                case .saturationStart: 0.1...1e3
                case .positive: 2...1e8
                }
            }()
        // A factor of 30 in a coefficient; 0.5 in an exponent, which is more than the exponents themselves.
        self.width = width ?? (coordinate == .plain ? 0.5 : 3.4)
    }
}

extension LawMetadata {
    /// The bounds of every coordinate θ.
    var bounds: [ClosedRange<Double>] {
        parameters.map { parameter in
            guard parameter.coordinate != .plain else { return parameter.bounds }
            return log(parameter.bounds.lowerBound)...log(parameter.bounds.upperBound)
        }
    }

    /// θ moved to the nearest point inside the bounds.
    func clamped(_ theta: [Double]) -> [Double] {
        zip(theta, bounds).map { value, range in min(max(value, range.lowerBound), range.upperBound) }
    }

    func coordinates(of values: [Double]) -> [Double] {
        precondition(values.count == parameters.count, "\(name) has \(parameters.count) parameters")
        return parameters.indices.map { i in
            switch parameters[i].coordinate {
            case .coefficient, .positive, .factor: log(values[i])
            case .plain: values[i]
            case .saturationStart: -log(1 / values[i] - 1 / values[i + 1])
            }
        }
    }

    /// The values at θ. A coordinate that wanders off along a flat direction stops where its value is still a number:
    /// E_max = 1e20 is as good as infinite.
    func parameters(at coordinates: [Double]) -> [Double] {
        precondition(coordinates.count == parameters.count, "\(name) has \(parameters.count) parameters")
        let held = { (theta: Double, bound: Double) in exp(max(-bound, min(theta, bound))) }
        return parameters.indices.map { i in
            switch parameters[i].coordinate {
            case .coefficient, .factor: held(coordinates[i], 600)
            case .positive: held(coordinates[i], 46)
            case .plain: coordinates[i]
            case .saturationStart: 1 / (held(-coordinates[i], 46) + held(-coordinates[i + 1], 46))
            }
        }
    }
}

/// The sizes that a law's published coefficients were fitted to; beyond them it extrapolates.
package struct FittedDomain: Sendable, Codable, Equatable {
    package var active: ClosedRange<Double>
    package var tokens: ClosedRange<Double>
    package var experts: ClosedRange<Double>
    /// D/N_act above which the law is not trusted.
    package var tokensPerParameter: Double

    enum CodingKeys: String, CodingKey {
        case active = "active_parameters"
        case tokens, experts
        case tokensPerParameter = "tokens_per_parameter"
    }

    package init(
        active: ClosedRange<Double>, tokens: ClosedRange<Double>, experts: ClosedRange<Double>,
        tokensPerParameter: Double
    ) {
        self.active = active
        self.tokens = tokens
        self.experts = experts
        self.tokensPerParameter = tokensPerParameter
    }
}
