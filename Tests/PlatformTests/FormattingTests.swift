import Diagnostics
import Testing

@Suite struct FormattingTests {
    @Test(
        "decimals",
        arguments: [
            (2.0, 3, "2.000"), (-0.0004, 3, "0.000"), (-1.25, 1, "-1.3"), (0.05, 1, "0.1"), (999.96, 1, "1000.0"),
            (5, 0, "5"),
            (1e300, 2, "1e+300"),
        ]) func decimals(_ number: Double, _ places: Int, _ text: String)
    {
        #expect(Diagnostics.decimals(number, places) == text)
    }

    @Test(
        "significant digits",
        arguments: [
            (0.0, 3, "0"), (24, 3, "24"), (1.5, 3, "1.5"), (999.9, 3, "1000"), (0.00012345, 3, "0.000123"),
            (123456, 3, "123456"),
            (-2.5, 1, "-3"),
        ]) func significant(_ number: Double, _ count: Int, _ text: String)
    {
        #expect(Diagnostics.significant(number, count) == text)
    }

    @Test func powersOfTen() {
        #expect(scientific(1e20) == "1e20" && scientific(1.234e-7) == "1.23e-7" && scientific(9.996e5) == "1e6")
        #expect(shortCount(6.49e6) == "6.49M" && shortCount(999_700) == "1M" && shortCount(12) == "12")
        #expect(byteCount(1_500_000_000) == "1.5 GB" && byteCount(999_600) == "1 MB" && byteCount(0) == "0 B")
        #expect(grouped(1_234_567) == "1,234,567" && grouped(-1000) == "-1,000" && grouped(.min).hasPrefix("-9,223"))
        #expect(duration(3725) == "1h02m" && duration(59.6) == "1m00s" && duration(.nan) == "?")
    }

    /// Swift writes the payload of a NaN, which says nothing to a reader.
    @Test func whatIsNoNumber() {
        let odd = Double(nan: 0x1234, signaling: false)
        for text in [shortest(odd), Diagnostics.decimals(odd, 3), Diagnostics.significant(odd, 3), scientific(odd)] {
            #expect(text == "nan")
        }
        #expect(Diagnostics.decimals(.infinity, 1) == "inf" && shortCount(-.infinity) == "-inf")
    }
}
