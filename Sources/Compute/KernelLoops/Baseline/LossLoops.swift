import Platform
package import Tensors

extension Loops {
    package static func losses(
        _ z: Tensor, targets: Vector<Int32>, into losses: Vector<Float>, totals: Vector<Float>
    ) {
        let targets = targets.span
        var losses = unsafe losses.unsafeMutableSpan, sums = unsafe totals.unsafeMutableSpan
        for t in 0..<z.rows {
            let atTarget = z.row(t)[Int(targets[t])], top = maximum(z.row(t))
            sums[t] = exponentials(z, t, top)
            losses[t] = top + log(sums[t]) - atTarget
        }
    }

    package static func lossGradients(
        _ z: Tensor, targets: Vector<Int32>, scale: Float, into losses: Vector<Float>, totals: Vector<Float>,
        _ dz: Operand
    ) {
        self.losses(z, targets: targets, into: losses, totals: totals)
        switch dz {
        case .float32(let dz): gradients(z, targets, scale, totals, into: dz)
        case .bfloat16(let dz): gradients(z, targets, scale, totals, into: dz)
        }
    }
}

/// Row `t` of z becomes `exp(z − top)`.
/// - Returns: its sum
@inline(__always)
private func exponentials(_ z: Tensor, _ t: Int, _ top: Float) -> Float {
    var row = unsafe z.unsafeMutableRow(t), lanes = SIMD16<Float>(), i = 0
    while i &+ 16 <= row.count {
        let value = exponential(row.sixteen(at: i) - top)
        lanes += value
        row.store(value, at: i)
        i &+= 16
    }
    var total = sumOfLanes(lanes)
    while i < row.count {
        let value = exponential(row[i] - top)
        total += value
        row[i] = value
        i &+= 1
    }
    return total
}

private func gradients<Element: MatrixElement>(
    _ exponentials: Tensor, _ targets: Vector<Int32>, _ scale: Float, _ totals: Vector<Float>, into dz: Matrix<Element>
) {
    let targets = targets.span, totals = totals.span
    for t in 0..<exponentials.rows {
        let factor = scale / totals[t], target = Int(targets[t])
        let row = exponentials.row(t), atTarget = row[target] * factor - scale
        var out = unsafe dz.unsafeMutableRow(t)
        for i in 0..<row.count { out[i] = Element(rounding: row[i] * factor) }
        out[target] = Element(rounding: atTarget)
    }
}
