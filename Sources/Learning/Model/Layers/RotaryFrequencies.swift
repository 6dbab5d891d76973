package import Configuration
package import Kernels
import Platform

extension RotaryConfiguration {
    /// The angle of each pair of a head per position, `θ_i = base^(−2i/n)` for the n columns that turn, changed as `scaling` says.
    func frequencies(headSize: Int) -> [Double] {
        let count = pairs(headSize: headSize)
        return (0..<count).map { i in
            let frequency = pow(base, -2 * Double(i) / Double(2 * count))
            switch scaling {
            case .none: return frequency
            case .linear: return frequency / factor
            case .llama3: return between(frequency / factor, frequency, share: fastShare(turns(frequency)))
            case .yarn: return between(frequency / factor, frequency, share: 1 - slowShare(of: i, pairs: count))
            }
        }
    }

    /// By what cosines and sines are multiplied: YaRN's `√(1/t) = 0.1·ln(factor) + 1` on queries and keys (section 3.4).
    var magnitude: Double { scaling == .yarn ? 0.1 * log(factor) + 1 : 1 }

    /// Turns of a pair within `originalContext`.
    private func turns(_ frequency: Double) -> Double { Double(originalContext ?? 1) * frequency / (2 * Double.pi) }

    /// Llama 3.1: 0 below `lowRotations` turns, 1 above `highRotations`, linear in between.
    private func fastShare(_ turns: Double) -> Double {
        min(max((turns - lowRotations) / (highRotations - lowRotations), 0), 1)
    }

    /// YaRN: 0 up to the last pair that turns `highRotations` times, 1 from the first on that turns `lowRotations` times, linear in the
    /// pair's number between, both rounded outward as its program does.
    private func slowShare(of pair: Int, pairs: Int) -> Double {
        func place(_ rotations: Double) -> Double {
            Double(pairs) * log(Double(originalContext ?? 1) / (rotations * 2 * Double.pi)) / log(base)
        }
        let first = max(place(highRotations).rounded(.down), 0)
        let last = min(place(lowRotations).rounded(.up), Double(2 * pairs - 1))
        // The program's way around a range of no pairs.
        let width = last == first ? 0.001 : last - first
        return min(max((Double(pair) - first) / width, 0), 1)
    }

    private func between(_ a: Double, _ b: Double, share: Double) -> Double { a * (1 - share) + b * share }
}

extension RotaryTable {
    /// The angles of the first `context` positions of a model's heads.
    package init(_ settings: RotaryConfiguration, context: Int, headSize: Int) {
        self.init(
            context: context, headSize: headSize, frequencies: settings.frequencies(headSize: headSize),
            magnitude: settings.magnitude)
    }
}
