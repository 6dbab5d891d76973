package import Tensors

extension Loops {
    package static func geGLU(_ gateUp: Operand, into a: Operand) {
        switch (gateUp, a) {
        case (.float32(let gateUp), .float32(let a)): gated(gateUp, into: a)
        case (.bfloat16(let gateUp), .bfloat16(let a)): gated(gateUp, into: a)
        default: preconditionFailure("operands of different precisions")
        }
    }

    package static func geGLUBackward(_ da: Operand, replacing gateUp: Operand) {
        switch (da, gateUp) {
        case (.float32(let da), .float32(let gateUp)): gatedBackward(da, replacing: gateUp)
        case (.bfloat16(let da), .bfloat16(let gateUp)): gatedBackward(da, replacing: gateUp)
        default: preconditionFailure("operands of different precisions")
        }
    }

    package static func gelu(_ x: Operand, into a: Operand) {
        each(x, into: a) { value in value * sigmoid(geluLogit(value)) }
    }

    package static func geluBackward(_ da: Operand, replacing x: Operand) {
        eachBackward(da, replacing: x) { value in geluSlope(value, sigmoid(geluLogit(value))) }
    }

    package static func squaredReLU(_ x: Operand, into a: Operand) {
        each(x, into: a) { value in positivePart(value) * positivePart(value) }
    }

    package static func squaredReLUBackward(_ da: Operand, replacing x: Operand) {
        eachBackward(da, replacing: x) { value in 2 * positivePart(value) }
    }
}

/// NaN stays NaN.
@inline(__always)
private func positivePart(_ x: Float) -> Float { x < 0 ? 0 : x }

/// Beyond, σ and its slope no longer change, and x³ could be infinite. NaN stays NaN.
@inline(__always)
private func bounded(_ x: Float) -> Float { x < -20 ? -20 : (x > 20 ? 20 : x) }

/// `2·√(2/π)·(x + 0.044715·x³)`, with which `gelu(x) = x·σ(…)`, since `(1 + tanh u) / 2 = σ(2u)`.
@inline(__always)
private func geluLogit(_ value: Float) -> Float {
    let x = bounded(value)
    return 1.595_769_2 * (x + 0.044_715 * x * x * x)
}

/// `gelu'(x) = σ + x·σ·(1 − σ)·2·√(2/π)·(1 + 3·0.044715·x²)`
@inline(__always)
private func geluSlope(_ value: Float, _ s: Float) -> Float {
    let x = bounded(value)
    return s + x * s * (1 - s) * 1.595_769_2 * (1 + 0.134_145 * x * x)
}

private func gated<Element: MatrixElement>(_ gateUp: Matrix<Element>, into a: Matrix<Element>) {
    let hidden = a.columns
    for t in 0..<a.rows {
        let gate = gateUp.row(t, 0..<hidden), up = gateUp.row(t, hidden..<2 * hidden)
        var out = unsafe a.unsafeMutableRow(t)
        for i in 0..<hidden {
            let g = gate[i].float
            out[i] = Element(rounding: g * sigmoid(geluLogit(g)) * up[i].float)
        }
    }
}

private func gatedBackward<Element: MatrixElement>(_ da: Matrix<Element>, replacing gateUp: Matrix<Element>) {
    let hidden = da.columns
    for t in 0..<da.rows {
        let d = da.row(t)
        var gate = unsafe gateUp.unsafeMutableRow(t, 0..<hidden),
            up = unsafe gateUp.unsafeMutableRow(t, hidden..<2 * hidden)
        for i in 0..<hidden {
            let g = gate[i].float, u = up[i].float, di = d[i].float
            let s = sigmoid(geluLogit(g))
            gate[i] = Element(rounding: di * u * geluSlope(g, s))
            up[i] = Element(rounding: di * g * s)
        }
    }
}

@inline(__always)
private func each(_ x: Operand, into a: Operand, _ f: (Float) -> Float) {
    switch (x, a) {
    case (.float32(let x), .float32(let a)): rows(x, into: a, f)
    case (.bfloat16(let x), .bfloat16(let a)): rows(x, into: a, f)
    default: preconditionFailure("operands of different precisions")
    }
}

@inline(__always)
private func rows<Element: MatrixElement>(_ x: Matrix<Element>, into a: Matrix<Element>, _ f: (Float) -> Float) {
    for t in 0..<a.rows {
        let values = x.row(t)
        var out = unsafe a.unsafeMutableRow(t)
        for i in 0..<values.count { out[i] = Element(rounding: f(values[i].float)) }
    }
}

@inline(__always)
private func eachBackward(_ da: Operand, replacing x: Operand, _ slope: (Float) -> Float) {
    switch (da, x) {
    case (.float32(let da), .float32(let x)): rowsBackward(da, replacing: x, slope)
    case (.bfloat16(let da), .bfloat16(let x)): rowsBackward(da, replacing: x, slope)
    default: preconditionFailure("operands of different precisions")
    }
}

@inline(__always)
private func rowsBackward<Element: MatrixElement>(
    _ da: Matrix<Element>, replacing x: Matrix<Element>, _ slope: (Float) -> Float
) {
    for t in 0..<da.rows {
        let d = da.row(t)
        var values = unsafe x.unsafeMutableRow(t)
        for i in 0..<d.count { values[i] = Element(rounding: d[i].float * slope(values[i].float)) }
    }
}
