import Diagnostics
package import JSON

extension PageSection {
    /// What `bench` printed with `--json`: single figures as facts, lists as tables.
    /// - Parameters:
    ///   - answer: the object
    ///   - name: of its file
    /// - Returns: nil if it is no answer of a benchmark
    package init?(benchmark answer: [String: JSONValue], named name: String) {
        guard case .text(let benchmark)? = answer["benchmark"] else { return nil }
        self.init("Benchmark: \(benchmark)")
        paragraphs = ["\(name). Figures are medians, with the lowest and the highest."]
        for (key, value) in answer.sorted(by: { $0.key < $1.key }) where key != "benchmark" {
            switch value {
            case .list(let rows): tables.append((Self.words(key), PageTable(rows)))
            case .object(let parts) where parts["median"] == nil:
                let rows = parts.sorted { $0.key < $1.key }.map {
                    [Self.words($0.key), Self.figure($0.value, "\(key)_\($0.key)")]
                }
                tables.append((Self.words(key), PageTable(header: ["", Self.words(key)], rows: rows)))
            default: facts.append((Self.words(key), Self.figure(value, key)))
            }
        }
    }

    fileprivate static func words(_ key: String) -> String { key.replacing("_", with: " ") }

    /// A number with the unit that its key names, or a sample of such numbers.
    fileprivate static func figure(_ value: JSONValue, _ key: String) -> String {
        switch value {
        case .integer(let number): figure(Double(number), key)
        case .number(let number): figure(number, key)
        case .text(let text): text
        case .boolean(let flag): flag ? "yes" : "no"
        case .object(let sample): sampleInWords(sample, key)
        case .null, .list: "–"
        }
    }

    private static func sampleInWords(_ sample: [String: JSONValue], _ key: String) -> String {
        let figures = ["median", "lowest", "highest"].compactMap { sample[$0].map { figure($0, key) } }
        guard figures.count == 3 else { return "–" }
        return figures[1] == figures[2] ? figures[0] : "\(figures[0]) (\(figures[1]) … \(figures[2]))"
    }

    private static func shortTime(_ seconds: Double) -> String {
        switch seconds.magnitude {
        case 1...: time(seconds)
        case 1e-3...: "\(significant(1e3 * seconds, 3)) ms"
        default: "\(significant(1e6 * seconds, 3)) µs"
        }
    }

    private static func figure(_ number: Double, _ key: String) -> String {
        switch key {
        case _ where key.hasSuffix("microseconds"): shortTime(1e-6 * number)
        case _ where key.hasSuffix("seconds"): shortTime(number)
        case _ where key.hasSuffix("bytes_per_second"): byteCount(number) + "/s"
        case _ where key.hasSuffix("bytes"): byteCount(number)
        case _ where key.contains("flops") || key.contains("peak"): "\(significant(number / 1e9, 3)) GFLOP/s"
        case "fraction", "mfu", "dropped_ratio": "\(decimals(100 * number, 1)) %"
        case _ where number.magnitude >= 1e5: shortCount(number)
        default: significant(number, 4)
        }
    }
}

extension PageTable {
    /// A row for each object, a column for each key that one of them has; names first.
    fileprivate init(_ rows: [JSONValue]) {
        let objects: [[String: JSONValue]] = rows.map { row in
            if case .object(let fields) = row { fields } else { ["value": row] }
        }
        let all = Set(objects.flatMap { Array($0.keys) }).sorted()
        let keys = all.filter { $0 == "name" } + all.filter { $0 != "name" }
        self.init(
            header: keys.map(PageSection.words),
            rows: objects.map { object in keys.map { key in object[key].map { PageSection.figure($0, key) } ?? "" } })
    }
}
