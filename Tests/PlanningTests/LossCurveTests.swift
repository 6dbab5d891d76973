import Foundation
import Planning
import Platform
import Randomness
import Testing

/// Parabolas through curves, and rules through their minima.
@Suite struct LossCurveTests {
    private static let random = RandomFunction(seed: 11, purpose: .tests)

    /// The normal equations by Gauss elimination, without pivots.
    private func naive(_ columns: [[Double]], _ y: [Double]) -> [Double] {
        let n = columns.count
        var a = (0..<n).map { i in (0..<n).map { j in zip(columns[i], columns[j]).reduce(0) { $0 + $1.0 * $1.1 } } }
        var b = (0..<n).map { i in zip(columns[i], y).reduce(0) { $0 + $1.0 * $1.1 } }
        for i in 0..<n {
            for k in i + 1..<max(n, i + 1) {
                let factor = a[k][i] / a[i][i]
                for j in i..<n { a[k][j] -= factor * a[i][j] }
                b[k] -= factor * b[i]
            }
        }
        for i in (0..<n).reversed() {
            for j in i + 1..<max(n, i + 1) { b[i] -= a[i][j] * b[j] }
            b[i] /= a[i][i]
        }
        return b
    }

    @Test(arguments: [1, 2, 3, 5], [5, 6, 17]) func leastSquaresSolvesTheNormalEquations(count: Int, rows: Int) throws {
        let draw = { (i: Int) in Self.random.uniform(UInt64(i)) - 0.4 }
        let columns = (0..<count).map { j in (0..<rows).map { draw(1000 * j + $0) } }
        let y = (0..<rows).map { draw(9000 + $0) }
        let fit = try #require(LeastSquares(columns, y)), reference = naive(columns, y)
        for j in 0..<count { #expect(abs(fit.coefficients[j] - reference[j]) < 1e-10 * max(1, abs(reference[j]))) }
        for column in columns { #expect(abs(zip(column, fit.residuals).reduce(0) { $0 + $1.0 * $1.1 }) < 1e-12) }
        // The variance of a coefficient by its response to each y.
        for j in 0..<count {
            let responses = (0..<rows).map { i in naive(columns, (0..<rows).map { $0 == i ? 1 : 0 })[j] }
            expect(fit.variances[j], responses.reduce(0) { $0 + $1 * $1 }, within: 1e-8)
        }
    }

    @Test func leastSquaresRefusesWhatHasNoAnswer() {
        #expect(LeastSquares([[1, 1, 1], [2, 2, 2]], [1, 2, 3]) == nil)
        #expect(LeastSquares([[1, 1], [1, 2], [1, 4]], [1, 2]) == nil)
        #expect(LeastSquares([[0, 0, 0]], [1, 2, 3]) == nil)
        #expect(LeastSquares([[1, .nan, 1]], [1, 2, 3]) == nil)
        #expect(LeastSquares([[1, .infinity, 1]], [1, 2, 3]) == nil)
        #expect(LeastSquares([[1, 1, 1]], [1, 2, 3])?.coefficients[0] == 2)
    }

    @Test func aParabolaIsFoundExactly() throws {
        let places = [17.0, 18, 18.5, 20, 21.25]
        let curve = LossCurve(places: places, losses: places.map { 2.5 + 0.03 * ($0 - 19.2) * ($0 - 19.2) })
        let parabola = try curve.parabola()
        expect(parabola.place, 19.2, within: 1e-12)
        expect(parabola.loss, 2.5, within: 1e-12)
        expect(parabola.curvature, 0.03, within: 1e-10)
        #expect(parabola.residuals.allSatisfy { abs($0) < 1e-13 })
    }

    @Test func aCurveWithoutAMinimumSaysWhy() {
        func flaw(_ places: [Double], _ losses: [Double]) -> LossCurve.Flaw? {
            do throws(LossCurve.Flaw) {
                _ = try LossCurve(places: places, losses: losses).parabola()
                return nil
            } catch {
                return error
            }
        }
        #expect(flaw([1, 2, 3, 3], [3, 2, 3, 3.1]) == .few(3))
        #expect(flaw([], []) == .few(0))
        #expect(flaw([1, 2, 3, 4], [2, 3, 3, 2]) == .noMinimum)
        #expect(flaw([1, 2, 3, 4], [9, 4, 1, 0]) == .fallsUpward)
        #expect(flaw([1, 2, 3, 4], [0, 1, 4, 9]) == .fallsDownward)
        #expect(flaw([1, 2, 3, 4], [1, 0, 1, 4]) == nil)
    }

    /// 80 % intervals of minima hold the truth about as often as they say.
    @Test func intervalsOfMinimaHoldTheTruth() throws {
        var held = 0, count = 0
        for seed in UInt64(1)...60 {
            let random = RandomFunction(seed: seed, purpose: .tests)
            func normal(_ i: Int) -> Double {
                (-2 * log(random.uniform(UInt64(2 * i)))).squareRoot()
                    * cos(2 * .pi * random.uniform(UInt64(2 * i + 1)))
            }
            let curves = (0..<5).map { c in
                let places = (0..<7).map { 20 + Double(c) + 0.4 * Double($0 - 3) }
                let losses = places.enumerated().map { i, x in
                    2.5 + 0.03 * pow(x - 20.1 - Double(c), 2) + 0.002 * normal(10 * c + i)
                }
                return LossCurve(places: places, losses: losses)
            }
            for (c, result) in minima(of: curves, resamples: 100, seed: seed).enumerated() {
                let interval = try #require(try result.get().interval)
                count += 1
                held += interval.contains(20.1 + Double(c)) ? 1 : 0
            }
        }
        #expect(count == 300 && (216...264).contains(held), "80 % intervals held the truth \(held) times in \(count)")
    }

    @Test func resamplesFollowTheirSeed() throws {
        let curve = LossCurve(places: [1, 2, 3, 4, 5], losses: [3.3, 3.05, 3.01, 3.1, 3.4])
        func interval(_ resamples: Int, _ seed: UInt64) throws -> ClosedRange<Double>? {
            try minima(of: [curve], resamples: resamples, seed: seed)[0].get().interval
        }
        #expect(try interval(100, 1) == interval(100, 1))
        #expect(try interval(100, 1) != interval(100, 2))
        #expect(try interval(0, 1) == nil)
    }

    @Test func aRuleOfPowersIsFoundAndSaysWhatItLeavesOut() throws {
        let sizes = [18.0, 19, 20, 18, 19, 20], experts = [0.0, 0, 0, 2, 2, 2].map { $0 * 1.04 }
        let logs = zip(sizes, experts).map { 8.4 - 0.8 * $0 - 0.25 * $1 }
        let rule = try #require(
            PowerRule(
                [
                    .init(name: "n", logs: sizes), .init(name: "e", logs: experts),
                    .init(name: "d", logs: sizes.map { $0 + 3 }), .init(name: "s", logs: sizes.map { _ in 4 }),
                ], logs))
        expect(try #require(rule.exponents["n"]), -0.8, within: 1e-10)
        expect(try #require(rule.exponents["e"]), -0.25, within: 1e-10)
        expect(rule.coefficient, exp(8.4), within: 1e-9)
        #expect(Set(rule.leftOut.keys) == ["d", "s"] && rule.leftOut["d"]?.contains("goes with n and e") == true)
        #expect(rule.leftOut["s"] == "it is the same at all points" && rule.points == 6)
        expect(rule.value(at: ["n": exp(19.5), "e": exp(1)]), exp(8.4 - 0.8 * 19.5 - 0.25), within: 1e-9)
        // Sizes that differ by their routers alone, and a y that differs by more than they do.
        let routers = [
            PowerRule.Factor(name: "n", logs: [12.380, 12.382, 12.388]), .init(name: "e", logs: [0, 1, 3]),
        ]
        let nearly = try #require(PowerRule(routers, [-4.4, -4.6, -4.1]))
        #expect(nearly.leftOut["n"] == "it is nearly the same at all points" && nearly.exponents.keys.sorted() == ["e"])
        #expect(PowerRule([.init(name: "n", logs: [1])], [2]) == nil)
        let two = try #require(PowerRule([.init(name: "n", logs: [1, 2])], [2, 4]))
        #expect(two.intervals.isEmpty && two.error == nil && two.coefficientInterval == nil)
        expect(try #require(two.exponents["n"]), 2, within: 1e-12)
    }
}
