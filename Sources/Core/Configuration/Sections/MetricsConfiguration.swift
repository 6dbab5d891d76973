package import Diagnostics

/// A form in which the records of a run are written beside `metrics.jsonl`.
package enum MetricsFormat: String, CaseIterable, Sendable {
    /// `metrics.csv`
    case csv
    /// Event files in `tensorboard/`.
    case tensorBoard = "tensorboard"
}

/// Where else the records of a run go.
package struct MetricsConfiguration: Sendable, Equatable {
    package var formats: Set<MetricsFormat>
    /// Steps between two records with the load of every expert; 0: none has it.
    package var expertLoadEvery: Int

    package init(reading section: ConfigurationSection) throws(Failure) {
        formats = []
        let allowed = MetricsFormat.allCases.map(\.rawValue)
        for name in try section.texts("formats", default: []) {
            guard let format = MetricsFormat(rawValue: name) else {
                throw section.failure(
                    "formats", "has `\(name)`; allowed are \(allowed.joined(separator: ", "))",
                    advice: nearestName(to: name, among: allowed).map { "did you mean `\($0)`?" })
            }
            formats.insert(format)
        }
        expertLoadEvery = try section.integer("expert_load_every", default: 10)
    }
}
