package import Tensors

extension Loops {
    package static func swiGLU(_ gateUp: Operand, into a: Operand) {
        switch (gateUp, a) {
        case (.float32(let gateUp), .float32(let a)): forward(gateUp, into: a)
        case (.bfloat16(let gateUp), .bfloat16(let a)): forward(gateUp, into: a)
        default: preconditionFailure("operands of different precisions")
        }
    }

    package static func swiGLUBackward(_ da: Operand, replacing gateUp: Operand) {
        switch (da, gateUp) {
        case (.float32(let da), .float32(let gateUp)): backward(da, replacing: gateUp)
        case (.bfloat16(let da), .bfloat16(let gateUp)): backward(da, replacing: gateUp)
        default: preconditionFailure("operands of different precisions")
        }
    }
}

private func forward<Element: MatrixElement>(_ gateUp: Matrix<Element>, into a: Matrix<Element>) {
    let hidden = a.columns
    for t in 0..<a.rows {
        let gate = gateUp.row(t, 0..<hidden), up = gateUp.row(t, hidden..<2 * hidden)
        var out = unsafe a.unsafeMutableRow(t)
        for i in 0..<hidden {
            let g = gate[i].float
            out[i] = Element(rounding: g * sigmoid(g) * up[i].float)
        }
    }
}

private func backward<Element: MatrixElement>(_ da: Matrix<Element>, replacing gateUp: Matrix<Element>) {
    let hidden = da.columns
    for t in 0..<da.rows {
        let d = da.row(t)
        var gate = unsafe gateUp.unsafeMutableRow(t, 0..<hidden),
            up = unsafe gateUp.unsafeMutableRow(t, hidden..<2 * hidden)
        for i in 0..<hidden {
            let g = gate[i].float, u = up[i].float, di = d[i].float
            let s = sigmoid(g)
            let silu = g * s
            gate[i] = Element(rounding: di * u * (s + silu * (1 - s)))
            up[i] = Element(rounding: di * silu)
        }
    }
}
