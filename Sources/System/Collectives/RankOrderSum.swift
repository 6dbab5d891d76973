package import Tensors

/// `target[i] ← parts[0][i] + parts[1][i] + …`, added in this order. `target` is none of the parts.
package func sumInOrder<Element: Exchangeable>(_ parts: [Vector<Element>], into target: Vector<Element>) {
    // A call through a protocol arrives unspecialized; the loops below are worth their concrete types.
    switch (parts, target) {
    case let (parts, target) as ([Vector<Float>], Vector<Float>): combine(parts, into: target) { $0 + $1 }
    case let (parts, target) as ([Vector<Double>], Vector<Double>): combine(parts, into: target) { $0 + $1 }
    case let (parts, target) as ([Vector<Int64>], Vector<Int64>): combine(parts, into: target) { $0 &+ $1 }
    case let (parts, target) as ([Vector<UInt64>], Vector<UInt64>): combine(parts, into: target) { $0 &+ $1 }
    default: combine(parts, into: target) { Element.wrappingSum($0, $1) }
    }
}

@inline(__always)
func combine<Element: Exchangeable>(
    _ parts: [Vector<Element>], into target: Vector<Element>, _ operation: (Element, Element) -> Element
) {
    precondition(parts.allSatisfy { $0.count == target.count }, "ranks combine different numbers of elements")
    var sums = unsafe target.unsafeMutableSpan
    let one = parts[0], other = parts[min(1, parts.count - 1)]
    let first = one.span, second = other.span
    guard parts.count > 1 else { return sums.update(from: first) }
    for i in first.indices { sums[i] = operation(first[i], second[i]) }
    for part in parts.dropFirst(2) {
        let addend = part.span
        for i in addend.indices { sums[i] = operation(sums[i], addend[i]) }
    }
}
