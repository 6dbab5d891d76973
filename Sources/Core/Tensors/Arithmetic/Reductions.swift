// Sums over one row, each in one fixed order: some accumulators of sixteen lanes, then the rest one by one. The order is
// part of the result's bits.

/// `Σ_i a_i·b_i`
@inlinable @inline(__always)
package func dot<A: MatrixElement, B: MatrixElement>(_ a: Span<A>, _ b: Span<B>) -> Float {
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
    var sum = sumOfLanes((s0 + s1) + (s2 + s3))
    while i < n {
        sum.addProduct(a[i].float, b[i].float)
        i &+= 1
    }
    return sum
}

/// `Σ_i a_i`
@inlinable @inline(__always)
package func sum(_ a: Span<Float>) -> Float {
    sumInPairs(a.count) {
        $0 += a.sixteen(at: $1)
    } one: {
        $0 += a[$1]
    }
}

/// `Σ_i (a_i − c)²`
@inlinable @inline(__always)
package func sumOfSquaredDeviations(_ a: Span<Float>, from c: Float) -> Float {
    sumInPairs(a.count) { sum, i in
        let x = a.sixteen(at: i) - c
        sum.addProduct(x, x)
    } one: { sum, i in
        sum.addProduct(a[i] - c, a[i] - c)
    }
}

/// `max_i a_i`, for `a` of at least one element
@inlinable @inline(__always)
package func maximum(_ a: Span<Float>) -> Float {
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
        top = largestLane(lanes)
    }
    while i < n {
        top = a[i] > top ? a[i] : top
        i &+= 1
    }
    return top
}

/// `Σ_i a_i²` in double precision.
@inlinable @inline(__always)
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

/// `Σ_i a_i·b_i·c_i`
@inlinable @inline(__always)
package func tripleDot(_ a: Span<Float>, _ b: Span<Float>, _ c: Span<Float>) -> Float {
    precondition(b.count == a.count && c.count == a.count)
    return sumInPairs(a.count) {
        $0.addProduct(a.sixteen(at: $1) * b.sixteen(at: $1), c.sixteen(at: $1))
    } one: {
        $0.addProduct(a[$1] * b[$1], c[$1])
    }
}

/// A sum over `n` elements in two accumulators of sixteen lanes, by turns, then of what is left one by one.
/// - Parameters:
///   - sixteen: adds the sixteen elements from an index on
///   - one: adds the element at an index
@inlinable @inline(__always)
func sumInPairs(
    _ n: Int, sixteen: (inout SIMD16<Float>, Int) -> Void, one: (inout Float, Int) -> Void
) -> Float {
    var s0 = SIMD16<Float>(), s1 = s0
    var i = 0
    while i &+ 32 <= n {
        sixteen(&s0, i)
        sixteen(&s1, i &+ 16)
        i &+= 32
    }
    var sum = sumOfLanes(s0 + s1)
    while i < n {
        one(&sum, i)
        i &+= 1
    }
    return sum
}

/// Halves onto halves, which is also their order. Written out because `sum()` and `max()` of vectors are calls and loops.
@inlinable @inline(__always)
package func sumOfLanes(_ lanes: SIMD16<Float>) -> Float {
    let eight = lanes.lowHalf + lanes.highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
}

@inlinable @inline(__always)
func largestLane(_ lanes: SIMD16<Float>) -> Float {
    var eight = lanes.lowHalf
    eight.replace(with: lanes.highHalf, where: lanes.highHalf .> eight)
    var four = eight.lowHalf
    four.replace(with: eight.highHalf, where: eight.highHalf .> four)
    var two = four.lowHalf
    two.replace(with: four.highHalf, where: four.highHalf .> two)
    return two.y > two.x ? two.y : two.x
}
