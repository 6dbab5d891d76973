import Platform
import Randomness

/// The losses of runs that differ in one setting alone, which has a best value: a size at equal compute, a learning rate.
package struct LossCurve: Sendable {
    /// ln of the setting, `[runs]`
    package let places: [Double]
    /// Nats per token, `[runs]`
    package let losses: [Double]

    package init(places: [Double], losses: [Double]) {
        self.places = places
        self.losses = losses
    }

    /// `L = l + c·(x − m)²`, the least-squares parabola through a curve.
    package struct Parabola: Sendable {
        /// m, l and c; c > 0, and m lies inside the curve's places
        package let place, loss, curvature: Double
        package let residuals: [Double]
        /// Values of the parabola at the curve's places.
        package let values: [Double]
    }

    /// Why a curve has no minimum to use.
    package enum Flaw: Error, Equatable {
        /// Fewer different values of the setting than a parabola with something left over needs.
        case few(Int)
        /// The parabola opens downward or is straight.
        case noMinimum
        /// The loss still falls at an end of the curve.
        case fallsDownward, fallsUpward
    }

    /// Different places that a curve needs.
    static let fewest = 4

    /// Fits the parabola.
    ///
    /// - Parameter losses: nil for the measured ones
    /// - Throws: the `Flaw` of a curve without a minimum between its ends
    package func parabola(_ losses: [Double]? = nil) throws(Flaw) -> Parabola {
        let different = Set(places).count
        guard different >= Self.fewest, let low = places.min(), let high = places.max() else { throw .few(different) }
        let middle = (low + high) / 2, x = places.map { $0 - middle }
        let columns = [x.map { _ in 1 }, x, x.map { $0 * $0 }], measured = losses ?? self.losses
        guard let fit = LeastSquares(columns, measured) else { throw .few(different) }
        let (a, b, c) = (fit.coefficients[0], fit.coefficients[1], fit.coefficients[2])
        guard c > 0 else { throw .noMinimum }
        let place = -b / (2 * c)
        guard place > low - middle else { throw .fallsDownward }
        guard place < high - middle else { throw .fallsUpward }
        return Parabola(
            place: middle + place, loss: a - b * b / (4 * c), curvature: c, residuals: fit.residuals,
            values: x.map { a + ($0 * (b + $0 * c)) })
    }
}

/// The minimum of a curve, with how sure it is.
package struct CurveMinimum: Sendable {
    package let parabola: LossCurve.Parabola
    /// An 80 % interval of ln of the setting; nil without resamples, or where more than one in ten of them has no minimum
    /// between the curve's ends.
    package var interval: ClosedRange<Double>?
    /// The root mean square of the residuals, per degree of freedom; nats.
    package let error: Double

    init(_ parabola: LossCurve.Parabola) {
        self.parabola = parabola
        let freedom = Double(max(1, parabola.residuals.count - 3))
        error = (parabola.residuals.reduce(0) { $0 + $1 * $1 } / freedom).squareRoot()
    }
}

/// The minima of `curves`, in their order.
///
/// Intervals come from resampled residuals (Efron & Tibshirani, An Introduction to the Bootstrap, 9.4): those of all curves
/// with a minimum, each times `√(n/(n − 3))` of its curve's n runs, drawn with replacement and added to the parabolas. The
/// sizes and rates of a study are chosen, not drawn, so resamples keep them.
///
/// - Parameters:
///   - curves: of one study, whose losses are equally sure
///   - resamples: 0 for no intervals
///   - seed: of the resamples
package func minima(
    of curves: [LossCurve], resamples: Int, seed: UInt64
) -> [Result<CurveMinimum, LossCurve.Flaw>] {
    var results = curves.map { curve in
        Result { () throws(LossCurve.Flaw) in CurveMinimum(try curve.parabola()) }
    }
    let pool = results.flatMap { result -> [Double] in
        guard let residuals = try? result.get().parabola.residuals else { return [] }
        let count = Double(residuals.count)
        return residuals.map { $0 * (count / (count - 3)).squareRoot() }
    }
    guard resamples > 0, !pool.isEmpty else { return results }
    for (index, curve) in curves.enumerated() {
        guard var minimum = try? results[index].get() else { continue }
        let parabola = minimum.parabola
        let random = RandomFunction(seed: seed, purpose: .sampling, stream: UInt64(index))
        let places = (0..<resamples).compactMap { sample in
            let losses = parabola.values.enumerated().map { run, value in
                let draw = UInt64(sample * parabola.values.count + run)
                return value + pool[Int(random.integer(draw, below: UInt64(pool.count)))]
            }
            return (try? curve.parabola(losses))?.place
        }.sorted()
        if places.count * 10 >= resamples * 9 {
            minimum.interval = quantile(0.1, of: places)...quantile(0.9, of: places)
        }
        results[index] = .success(minimum)
    }
    return results
}
