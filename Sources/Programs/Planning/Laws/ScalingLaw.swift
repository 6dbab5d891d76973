import Platform

/// A law for the loss of a trained model.
///
/// Every law here is a sum of terms, `L(x) = Σ_k exp(u_k(x; θ))`: power laws, products of powers, and a constant.
/// A law states only its `u_k` and their derivatives; loss, gradients and the fit follow from them in log space, where
/// a coefficient is the additive `ln a` and nothing overflows. θ are the law's *coordinates*: logarithms for what is
/// positive, the number itself for exponents (`Coordinate`).
package protocol ScalingLaw: Sendable {
    /// What does not depend on the coefficients: names, source, counting, the range that it was fitted on. All that other files
    /// ask about a law stands here.
    static var metadata: LawMetadata { get }
    /// The paper's tables beside the same values from its coefficients, for `plan --tables`; by default none.
    static var comparisons: [Comparison] { get }
    /// Values in the order of `metadata.parameters`.
    init(parameters: [Double])
    var parameters: [Double] { get }
    /// `u_k` and their derivatives at `point`.
    func terms(at point: ScalePoint, into sheet: inout LawTerms)
}

/// The terms of a law at one point: `u_k`, `∂u_k/∂θ_j`, `∂u_k/∂ln N` and `∂u_k/∂ln D`, where N is the law's own count.
package struct LawTerms: Sendable {
    package let terms, coordinates: Int
    /// `[terms]`
    package var logs: [Double]
    /// `[terms, coordinates + 2]`, row-major; the last two columns belong to ln N and ln D.
    package var slopes: [Double]

    package init(for metadata: LawMetadata) {
        terms = metadata.terms
        coordinates = metadata.parameters.count
        logs = Array(repeating: 0, count: terms)
        slopes = Array(repeating: 0, count: terms * (coordinates + 2))
    }

    /// `∂u_term/∂θ_coordinate`
    package subscript(term: Int, coordinate: Int) -> Double {
        get { slopes[term * (coordinates + 2) + coordinate] }
        set { slopes[term * (coordinates + 2) + coordinate] = newValue }
    }

    /// `u_term`, and how it moves with ln N and ln D.
    mutating func set(_ term: Int, _ log: Double, perLogN: Double = 0, perLogD: Double = 0) {
        logs[term] = log
        self[term, coordinates] = perLogN
        self[term, coordinates + 1] = perLogD
    }

    /// `ln Σ_k exp(u_k)`. Turns `logs` into each term's share of the loss, which are the weights of its slopes.
    mutating func reduce() -> Double {
        var top = logs[0]
        for k in 1..<max(terms, 1) where logs[k] > top { top = logs[k] }
        var sum = 0.0
        for k in 0..<terms {
            logs[k] = exp(logs[k] - top)
            sum += logs[k]
        }
        for k in 0..<terms { logs[k] /= sum }
        return top + log(sum)
    }

    /// `∂ ln L/∂column` once `reduce` has run: the mean of the terms' slopes, weighted by their shares of the loss.
    func slope(_ column: Int) -> Double {
        var sum = 0.0
        for k in 0..<terms { sum.addProduct(logs[k], slopes[k * (coordinates + 2) + column]) }
        return sum
    }
}

extension ScalingLaw {
    package static var comparisons: [Comparison] { [] }

    package var name: String { Self.metadata.name }

    /// `L(x)` in nats per token.
    package func loss(at point: ScalePoint) -> Double {
        var sheet = LawTerms(for: Self.metadata)
        terms(at: point, into: &sheet)
        return exp(sheet.reduce())
    }

    /// `∂L/∂θ` by coordinate.
    package func gradient(at point: ScalePoint) -> [Double] {
        var sheet = LawTerms(for: Self.metadata)
        terms(at: point, into: &sheet)
        let loss = exp(sheet.reduce())
        return (0..<sheet.coordinates).map { loss * sheet.slope($0) }
    }

    /// `∂L/∂ln N` and `∂L/∂ln D`, N being the law's own count of parameters.
    package func sizeGradient(at point: ScalePoint) -> (perLogN: Double, perLogD: Double) {
        var sheet = LawTerms(for: Self.metadata)
        terms(at: point, into: &sheet)
        let loss = exp(sheet.reduce())
        return (loss * sheet.slope(sheet.coordinates), loss * sheet.slope(sheet.coordinates + 1))
    }

    /// θ of this law.
    package var coordinates: [Double] { Self.metadata.coordinates(of: parameters) }

    package init(coordinates: [Double]) {
        self.init(parameters: Self.metadata.parameters(at: coordinates))
    }

    /// The value of the parameter called `name`.
    package subscript(name: String) -> Double? {
        Self.metadata.parameters.firstIndex { $0.name == name }.map { parameters[$0] }
    }
}
