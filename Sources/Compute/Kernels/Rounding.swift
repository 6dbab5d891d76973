package import Tensors

/// `target ← source`, rounded.
package func round(_ source: Vector<Float>, into target: Vector<BFloat16>) {
    let source = source.span
    var out = unsafe target.unsafeMutableSpan
    precondition(out.count == source.count)
    for i in 0..<source.count { out[i] = BFloat16(rounding: source[i]) }
}
