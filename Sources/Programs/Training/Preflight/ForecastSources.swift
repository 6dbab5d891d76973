import Configuration
import Data
import Diagnostics

/// What each source of a mixture gives to a run.
extension ForecastTable {
    /// None where there is one source.
    var sourceRows: [(String, String)] {
        let sources = configuration.data.train
        guard sources.count > 1 else { return [] }
        let weights = sources.map(\.amount.weight)
        let mixture = corpus.flatMap { try? CorpusWindows($0, configuration, after: origin).training }
        let end = configuration.sequences(after: origin?.step ?? 0, consumed)
        let counts = mixture?.counts(ofFirst: end)
        return sources.enumerated().map { index, source in
            let paths = source.paths.joined(separator: ", ")
            let amount =
                switch source.amount {
                case .weight(let weight, let repeats):
                    "weight \(shortest(weight)) (\(decimals(100 * weight / weights.reduce(0, +), 1)) %)"
                        + (repeats ? ", repeated" : "")
                case .epochs(let epochs): "\(shortest(epochs)) epochs"
                }
            guard let part = mixture?.parts[index], let count = counts?[index] else {
                return ("source \(index)", "\(paths): \(amount)")
            }
            let epochs = Double(count) / Double(part.windows.windowsPerEpoch)
            return (
                "source \(index)",
                "\(paths): \(amount), \(grouped(part.windows.dataset.count)) tokens; the run takes "
                    + "\(grouped(count * part.windows.context)) of it, \(decimals(epochs, 2)) epochs"
            )
        }
    }
}
