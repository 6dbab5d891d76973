import Diagnostics

/// An isoFLOP analysis for programs, under names that stay. Intervals are pairs and hold 80 %.
package struct IsoFLOPRecord: Sendable, Encodable {
    package struct Optimum: Sendable, Encodable {
        let kind: ModelKind
        let flops: Double
        let runs: Int
        let activeParameters: Double
        let activeParametersInterval: [Double]?
        let tokens, loss, curvature, rmse: Double

        enum CodingKeys: String, CodingKey {
            case kind, flops, runs, tokens, loss, curvature, rmse
            case activeParameters = "active_parameters"
            case activeParametersInterval = "active_parameters_interval"
        }
    }

    package struct Unused: Sendable, Encodable {
        let kind: ModelKind
        let flops: Double
        let runs: Int
        let reason: String
    }

    package struct Growth: Sendable, Encodable {
        let kind: ModelKind
        let activeParameters, tokens: PowerRule

        enum CodingKeys: String, CodingKey {
            case kind, tokens
            case activeParameters = "active_parameters"
        }
    }

    package struct Surface: Sendable, Encodable {
        let flops: Double
        let runs: Int
        let coefficients: [String: Double]
        let rmse: Double
        let optima: [SurfaceOptimum]
    }

    package struct SurfaceOptimum: Sendable, Encodable {
        let sparsity: Double
        let totalParameters: Double?

        enum CodingKeys: String, CodingKey {
            case sparsity
            case totalParameters = "total_parameters"
        }
    }

    let law = "isoflop"
    let optima: [Optimum]
    let unused: [Unused]
    let powerLaws: [Growth]
    let surfaces: [Surface]

    enum CodingKeys: String, CodingKey {
        case law, optima, unused, surfaces
        case powerLaws = "power_laws"
    }

    package init(_ analysis: IsoFLOP) {
        optima = analysis.optima.map { optimum in
            Optimum(
                kind: optimum.kind, flops: optimum.flops, runs: optimum.runs, activeParameters: optimum.active,
                activeParametersInterval: optimum.activeInterval.map { [$0.lowerBound, $0.upperBound] },
                tokens: optimum.tokens, loss: optimum.loss, curvature: optimum.curvature, rmse: optimum.error)
        }
        unused = analysis.unused.map { Unused(kind: $0.kind, flops: $0.flops, runs: $0.runs, reason: $0.reason) }
        powerLaws = analysis.growths.map { Growth(kind: $0.kind, activeParameters: $0.active, tokens: $0.tokens) }
        surfaces = analysis.surfaces.map { surface in
            let names = ["d", "a1", "a2", "b1", "b2", "c1", "c2"]
            return Surface(
                flops: surface.flops, runs: surface.runs,
                coefficients: Dictionary(uniqueKeysWithValues: zip(names, surface.coefficients)), rmse: surface.error,
                optima: surface.optima.map { SurfaceOptimum(sparsity: $0.sparsity, totalParameters: $0.total) })
        }
    }
}
