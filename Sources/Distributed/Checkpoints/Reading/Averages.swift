package import Diagnostics

extension CheckpointReader {
    /// Where the averages of parameters lie (`optimizer.ema_decay`), beside `parameters`.
    package static let averages = "ema"

    package var hasAverages: Bool { tensors.contains { $0.name.hasPrefix("\(Self.averages)/") } }

    /// Gives the averages of parameters wherever parameters are asked for from now on.
    /// - Throws: `data` if some parameter has none
    package func takeAverages() throws(Failure) {
        let names = tensors.map(\.name).filter { $0.hasPrefix("parameters/") }
        guard hasAverages else {
            throw Failure(
                .data, "\(directory) holds no average of its parameters",
                advice: "leave --ema out; runs with `optimizer.ema_decay` above 0 keep one")
        }
        for name in names {
            let average = Self.averages + name.dropFirst("parameters".count)
            try substitute(tensor(average), for: name)
        }
    }
}
