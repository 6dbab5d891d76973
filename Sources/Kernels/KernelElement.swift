package import Tensors

/// Elements that this module's loops are specialised for.
///
/// `MatrixElement` again, but written here: calls of another module's conformance are not inlined, and a loop with a call
/// in it is not vectorised.
protocol KernelElement: MatrixElement {
    init(storing value: Float)
    var value: Float { get }
}

extension Float: KernelElement {
    @inline(__always) init(storing value: Float) { self = value }
    @inline(__always) var value: Float { self }
}

extension BFloat16: KernelElement {
    @inline(__always) init(storing value: Float) { self = unsafe unsafeBitCast(bfloat16Bits(value), to: BFloat16.self) }
    @inline(__always) var value: Float {
        Float(bitPattern: UInt32(unsafe unsafeBitCast(self, to: UInt16.self)) &<< 16)
    }
}

/// `target ← source`, rounded.
package func round(_ source: Vector<Float>, into target: Vector<BFloat16>) {
    let source = source.span
    var out = target.mutableSpan
    precondition(out.count == source.count)
    for i in 0..<source.count { out[i] = BFloat16(storing: source[i]) }
}
