package import Tensors

extension Loops {
    package static func rotate(
        _ x: Operand, headSize: Int, first: Int, starts: Vector<Int32>?, cosine: Tensor, sine: Tensor,
        direction: Float
    ) {
        switch x {
        case .float32(let x):
            turn(x, headSize: headSize, first: first, starts, cosine: cosine, sine: sine, direction: direction)
        case .bfloat16(let x):
            turn(x, headSize: headSize, first: first, starts, cosine: cosine, sine: sine, direction: direction)
        }
    }
}

private func turn<Element: MatrixElement>(
    _ x: Matrix<Element>, headSize: Int, first: Int, _ starts: Vector<Int32>?, cosine: Tensor, sine: Tensor,
    direction: Float
) {
    let half = cosine.columns
    for t in 0..<x.rows {
        let position = (first + t) % cosine.rows - (starts.map { Int($0[t]) } ?? 0)
        let c = cosine.row(position), s = sine.row(position)
        for start in stride(from: 0, to: x.columns, by: headSize) {
            var a = unsafe x.unsafeMutableRow(t, start..<start + half),
                b = unsafe x.unsafeMutableRow(t, start + half..<start + 2 * half)
            for i in 0..<half {
                let left = a[i].float, right = b[i].float, sines = s[i] * direction
                a[i] = Element(rounding: left * c[i] - right * sines)
                b[i] = Element(rounding: right * c[i] + left * sines)
            }
        }
    }
}
