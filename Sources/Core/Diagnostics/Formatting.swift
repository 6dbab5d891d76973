// Numbers as people read them: in messages, tables and progress lines. What programs read is JSON.

/// `number` with `places` digits after the point.
package func decimals(_ number: Double, _ places: Int) -> String {
    let scale = power(ofTen: places), scaled = (abs(number) * scale).rounded()
    guard number.isFinite, scale <= 1e18, scaled < 1e18 else { return shortest(number) }
    let whole = UInt64(scaled), unit = UInt64(scale)
    let fraction = String(whole % unit)
    let sign = number < 0 && whole > 0 ? "-" : ""
    let tail = places == 0 ? "" : "." + String(repeating: "0", count: places - fraction.count) + fraction
    return sign + "\(whole / unit)" + tail
}

/// `number` with `count` significant digits, without trailing zeros after the point.
package func significant(_ number: Double, _ count: Int) -> String {
    guard number != 0, number.isFinite else { return number == 0 ? "0" : shortest(number) }
    let places = max(0, count - 1 - magnitude(of: abs(number) * (1 + 0.5 / power(ofTen: count))))
    var text = decimals(number, places)
    if text.contains(".") {
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
    }
    return text
}

/// `1.23e20`; whole mantissas without a point.
package func scientific(_ number: Double) -> String {
    guard number != 0, number.isFinite else { return shortest(number) }
    var exponent = magnitude(of: abs(number))
    var mantissa = exponent < 0 ? number * power(ofTen: -exponent) : number / power(ofTen: exponent)
    if abs(mantissa) >= 9.995 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
    return significant(mantissa, 3) + "e\(exponent)"
}

/// The shortest decimals that read back as `number`; `nan` without the payload that Swift writes.
package func shortest(_ number: Double) -> String { number.isNaN ? "nan" : "\(number)" }

/// `1.7B`, `321M`, `64K`: three significant digits.
package func shortCount(_ number: Double) -> String {
    scaled(number, [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")], below: "")
}

/// `1.5 GB`, in powers of ten: three significant digits.
package func byteCount(_ bytes: Double) -> String {
    scaled(bytes, [(1e12, " TB"), (1e9, " GB"), (1e6, " MB"), (1e3, " kB")], below: " B")
}

package func byteCount(_ bytes: Int) -> String { byteCount(Double(bytes)) }

private func scaled(_ number: Double, _ units: [(Double, String)], below: String) -> String {
    guard number.isFinite else { return shortest(number) }
    // 999.7 of a unit would print as 1000 of it: take the next one.
    for (size, unit) in units where abs(number) >= size * 0.9995 { return significant(number / size, 3) + unit }
    return significant(number, 3) + below
}

/// `1,234,567`
package func grouped(_ number: Int) -> String {
    var result = ""
    let digits = String(number.magnitude)
    for (i, digit) in digits.enumerated() {
        if i > 0, (digits.count - i) % 3 == 0 { result.append(",") }
        result.append(digit)
    }
    return (number < 0 ? "-" : "") + result
}

/// The nearest whole number, likewise; one that is too great to have digits for each, as `significant` writes it.
package func grouped(_ number: Double) -> String {
    abs(number) < 1e15 ? grouped(Int(number.rounded())) : significant(number, 3)
}

/// `1h02m`, `3m10s`, `12s`
package func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0 else { return "?" }
    guard seconds < 1e12 else { return "over 30,000 years" }
    let whole = Int(seconds.rounded())
    if whole >= 3600 { return "\(whole / 3600)h\(zeroPadded(whole % 3600 / 60, width: 2))m" }
    return whole >= 60 ? "\(whole / 60)m\(zeroPadded(whole % 60, width: 2))s" : "\(whole)s"
}

/// `00042`: at least `width` digits.
package func zeroPadded(_ number: Int, width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

private func power(ofTen exponent: Int) -> Double { (0..<exponent).reduce(1) { product, _ in product * 10 } }

/// The greatest n with 10^n at most `number`, which is above zero.
private func magnitude(of number: Double) -> Int {
    var rest = number, exponent = 0
    while rest >= 10 { (rest, exponent) = (rest / 10, exponent + 1) }
    while rest < 1 { (rest, exponent) = (rest * 10, exponent - 1) }
    return exponent
}
