import Tensors

// Sums over one row, in one fixed order: four accumulators of sixteen lanes, then the rest one by one. The order is
// part of the result's bits.

/// `Σ_i a_i·b_i`
@inline(__always)
func dot<A: KernelElement, B: KernelElement>(_ a: Span<A>, _ b: Span<B>) -> Float {
    let n = a.count
    precondition(b.count == n)
    var s0 = SIMD16<Float>(), s1 = s0, s2 = s0, s3 = s0
    var i = 0
    while i &+ 64 <= n {
        s0.addProduct(a.sixteen(at: i), b.sixteen(at: i))
        s1.addProduct(a.sixteen(at: i &+ 16), b.sixteen(at: i &+ 16))
        s2.addProduct(a.sixteen(at: i &+ 32), b.sixteen(at: i &+ 32))
        s3.addProduct(a.sixteen(at: i &+ 48), b.sixteen(at: i &+ 48))
        i &+= 64
    }
    while i &+ 16 <= n {
        s0.addProduct(a.sixteen(at: i), b.sixteen(at: i))
        i &+= 16
    }
    var sum = ((s0 + s1) + (s2 + s3)).sum()
    while i < n {
        sum.addProduct(a[i].value, b[i].value)
        i &+= 1
    }
    return sum
}

/// `Σ_i a_i`
@inline(__always)
func sum(_ a: Span<Float>) -> Float {
    let n = a.count
    var s0 = SIMD16<Float>(), s1 = s0
    var i = 0
    while i &+ 32 <= n {
        s0 += a.sixteen(at: i)
        s1 += a.sixteen(at: i &+ 16)
        i &+= 32
    }
    var sum = (s0 + s1).sum()
    while i < n {
        sum += a[i]
        i &+= 1
    }
    return sum
}

/// `Σ_i (a_i − c)²`
@inline(__always)
func sumOfSquaredDeviations(_ a: Span<Float>, from c: Float) -> Float {
    let n = a.count
    var s0 = SIMD16<Float>(), s1 = s0
    var i = 0
    while i &+ 32 <= n {
        let x = a.sixteen(at: i) - c, y = a.sixteen(at: i &+ 16) - c
        s0.addProduct(x, x)
        s1.addProduct(y, y)
        i &+= 32
    }
    var sum = (s0 + s1).sum()
    while i < n {
        sum.addProduct(a[i] - c, a[i] - c)
        i &+= 1
    }
    return sum
}

/// `max_i a_i`, for `a` of at least one element
@inline(__always)
func maximum(_ a: Span<Float>) -> Float {
    let n = a.count
    var i = 0
    var top = a[0]
    if n >= 16 {
        var lanes = a.sixteen(at: 0)
        i = 16
        while i &+ 16 <= n {
            let next = a.sixteen(at: i)
            lanes.replace(with: next, where: next .> lanes)
            i &+= 16
        }
        top = lanes.max()
    }
    while i < n {
        top = a[i] > top ? a[i] : top
        i &+= 1
    }
    return top
}

/// `Σ_i a_i²` in double precision.
package func sumOfSquares(_ a: Span<Float>) -> Double {
    let n = a.count
    var s0 = SIMD8<Double>(), s1 = s0
    var i = 0
    while i &+ 16 <= n {
        let x = a.sixteen(at: i)
        let low = SIMD8<Double>(x.lowHalf), high = SIMD8<Double>(x.highHalf)
        s0.addProduct(low, low)
        s1.addProduct(high, high)
        i &+= 16
    }
    var sum = (s0 + s1).sum()
    while i < n {
        sum.addProduct(Double(a[i]), Double(a[i]))
        i &+= 1
    }
    return sum
}
