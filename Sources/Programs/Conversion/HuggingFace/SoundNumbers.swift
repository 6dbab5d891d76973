import Checkpoints
import Diagnostics
import Tensors

/// Products of two such weights and sums of thousands of them are still float32 numbers (up to 3.4e38).
let largestWeight: Float = 1e15

extension Span<Float> {
    /// The first element that is NaN or has a magnitude from `limit` on.
    func firstIndex(from limit: Float) -> Int? {
        // Without a branch, so that the loop runs at the speed of memory: bit patterns of magnitudes are ordered like them, and
        // those of NaN come after infinity's.
        let least = limit.bitPattern, magnitude: UInt32 = 0x7FFF_FFFF
        var found: UInt32 = 0
        for i in indices { found |= self[i].bitPattern & magnitude >= least ? 1 : 0 }
        return found == 0 ? nil : indices.first { self[$0].bitPattern & magnitude >= least }
    }
}

extension CheckpointReader {
    /// A part of a tensor, for a model that is made from it.
    /// - Throws: as `read`, and `data` if a number is NaN or infinite
    func readFinite(_ name: String, offset: [Int], shape: [Int]) throws(Failure) -> Vector<Float> {
        let values = try read(name, offset: offset, shape: shape)
        guard let found = values.span.firstIndex(from: .infinity) else { return values }
        var rest = found, place: [Int] = []
        for (first, size) in zip(offset, shape).reversed() {
            place.insert(first + rest % size, at: 0)
            rest /= size
        }
        throw Failure(
            .data, "\(directory): element \(place) of `\(name)` is \(values[found])",
            advice: "training or saving went wrong there: take an earlier checkpoint of the run")
    }
}
