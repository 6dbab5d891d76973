/// What a study varies: every entry of a list, with every combination of values of a grid, with every seed.
struct StudyGrid {
    var list: [[(key: String, value: String)]]
    var grid: [(key: String, values: [String])]
    var seeds: [Int]

    /// A row's name and its settings, `KEY=VALUE`. Names hold what differs between rows.
    var rows: [(name: String, settings: [String])] {
        var all: [[(key: String, value: String)]] = list.isEmpty ? [[]] : list
        for (key, values) in grid { all = all.flatMap { row in values.map { row + [(key, $0)] } } }
        if !seeds.isEmpty { all = all.flatMap { row in seeds.map { row + [("seed", "\($0)")] } } }
        let short = shortNames(all)
        var names: Set<String> = []
        return all.enumerated().map { index, row in
            let parts = row.compactMap { setting in short[setting.key].map { "\($0)=\(Self.word(setting.value))" } }
            var name = String((parts.isEmpty ? "run" : parts.joined(separator: "_")).prefix(180))
            if !names.insert(name).inserted {
                name += "_\(index + 1)"
                names.insert(name)
            }
            return (name, row.map { "\($0.key)=\($0.value)" })
        }
    }

    /// The keys that differ between rows, by the last part of their names where that tells them apart.
    private func shortNames(_ rows: [[(key: String, value: String)]]) -> [String: String] {
        var values: [String: Set<String>] = [:]
        for row in rows {
            for (key, value) in row { values[key, default: []].insert(value) }
        }
        let varied = values.filter { key, values in
            values.count > 1 || !rows.allSatisfy { row in row.contains { $0.key == key } }
        }.keys
        func last(_ key: String) -> String { key.split(separator: ".").last.map(String.init) ?? key }
        return Dictionary(
            uniqueKeysWithValues: varied.map { key in
                (key, varied.count { last($0) == last(key) } == 1 ? last(key) : key)
            })
    }

    /// A value as part of a file's name.
    private static func word(_ value: String) -> String {
        String(value.map { $0.isASCII && ($0.isLetter || $0.isNumber || ".-+".contains($0)) ? $0 : "-" })
    }
}
