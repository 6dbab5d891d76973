package import Tensors

extension Loops {
    package static func accumulateFixed(
        _ values: Vector<Float>, into sums: Vector<Int64>, adding: Bool, limit: Float
    ) -> Bool {
        let values = values.span
        var sums = unsafe sums.unsafeMutableSpan
        precondition(values.count == sums.count)
        let limitBits = limit.bitPattern
        var outside: UInt32 = 0
        let keep: Int64 = adding ? -1 : 0
        for i in 0..<values.count {
            let value = values[i]
            // Bit patterns of magnitudes are ordered like the magnitudes, NaN last.
            outside |= (value.bitPattern & 0x7FFF_FFFF) >= limitBits ? 1 : 0
            sums[i] = (sums[i] & keep) &+ FixedPoint.quantize(value)
        }
        return outside != 0
    }
}
