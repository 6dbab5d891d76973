import Configuration
import Foundation

/// Rotary positions as `transformers` computes them (`modeling_rope_utils.py`), from wavelengths and dimensions and not from turns, for
/// the reference that a conversion is compared with.
struct ReferencePositions {
    /// Angles of the pairs per position.
    let inverseFrequencies: [Double]
    /// By what cosines and sines are multiplied.
    let attentionFactor: Double

    init(_ rotary: RotaryConfiguration, headSize: Int) {
        let plain = (0..<headSize / 2).map { 1 / pow(rotary.base, Double(2 * $0) / Double(headSize)) }
        let original = Double(rotary.originalContext ?? 0), factor = rotary.factor
        attentionFactor = rotary.scaling == .yarn && factor > 1 ? 0.1 * log(factor) + 1 : 1
        switch rotary.scaling {
        case .none: inverseFrequencies = plain
        case .linear: inverseFrequencies = plain.map { $0 / factor }
        case .llama3:
            let (longest, shortest) = (original / rotary.lowRotations, original / rotary.highRotations)
            inverseFrequencies = plain.map { frequency in
                let wavelength = 2 * Double.pi / frequency
                if wavelength > longest { return frequency / factor }
                if wavelength < shortest { return frequency }
                let smooth =
                    (original / wavelength - rotary.lowRotations) / (rotary.highRotations - rotary.lowRotations)
                return (1 - smooth) * frequency / factor + smooth * frequency
            }
        case .yarn:
            func dimension(_ rotations: Double) -> Double {
                Double(headSize) * log(original / (rotations * 2 * Double.pi)) / (2 * log(rotary.base))
            }
            let low = max(floor(dimension(rotary.highRotations)), 0)
            let high = min(ceil(dimension(rotary.lowRotations)), Double(headSize - 1))
            inverseFrequencies = plain.enumerated().map { i, frequency in
                let ramp = min(max((Double(i) - low) / ((low == high ? high + 0.001 : high) - low), 0), 1)
                return frequency / factor * ramp + frequency * (1 - ramp)
            }
        }
    }
}
