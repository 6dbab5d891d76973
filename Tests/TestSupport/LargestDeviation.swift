/// The largest of the deviations given to it; infinite as soon as one of them is not a number.
///
/// `Swift.max(x, .nan)` is `x`, so a plain maximum passes over exactly those values that a test exists to find.
package struct LargestDeviation {
    package private(set) var value = 0.0

    package init() {}

    /// The largest `|found − expected|` of two sequences of the same length; infinite if their lengths differ.
    package init(_ found: [Float], _ expected: [Float]) {
        for (a, b) in zip(found, expected) { add(Double(a), expected: Double(b)) }
        if found.count != expected.count { value = .infinity }
    }

    /// Takes `deviation ≥ 0` into account.
    package mutating func add(_ deviation: Double) {
        value = deviation.isNaN ? .infinity : max(value, deviation)
    }

    /// Takes `|found − expected|` into account. Equal infinities deviate by nothing.
    package mutating func add(_ found: Double, expected: Double) {
        add(found == expected ? 0 : abs(found - expected))
    }
}
