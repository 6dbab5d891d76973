import Collectives
import Configuration
import HDF5
import Model
import Tensors
import TestSupport
import Testing
import Threading

@Suite(.serialized) struct GoldenTests {
    /// float32 against an independent float64 implementation: losses to 1e-5, every parameter's gradient to 1e-5 of that
    /// tensor's largest, routes and drops exactly.
    @Test(arguments: Golden.names, [false, true])
    func agreesWithTheReference(name: String, isExact: Bool) throws {
        let deviations = try VirtualRanks.run(1) { world in
            try deviation(name, isExact: isExact, on: world)
        }[0]
        for (what, deviation) in deviations {
            #expect(deviation <= 1e-5, "\(name): \(what) deviates by \(deviation)")
        }
        let worst = deviations.max { $0.1 < $1.1 }!
        print("golden \(name)\(isExact ? " exact" : ""): largest deviation \(worst.1) at \(worst.0)")
    }

    private func deviation(
        _ name: String, isExact: Bool, on world: any Communicator
    ) throws -> [(String, Double)] {
        let golden = try Golden(name)
        let microBatches = try golden.microBatches
        let bench = try Bench(
            golden.model, golden.routing, microBatchTokens: microBatches[0].tokens, microBatches: microBatches.count,
            isExact: isExact,
            threads: 2, on: world)
        try golden.load(into: bench.parameters)
        let statistics = try bench.train(microBatches)
        var found: [(String, Double)] = []
        let tokens = Double(microBatches.reduce(0) { $0 + $1.tokens }), count = Double(microBatches.count)
        let loss = statistics.reduce(0) { $0 + $1.crossEntropy } / tokens
        let balance = statistics.reduce(0) { $0 + $1.routes.reduce(0) { $0 + $1.loadBalance } } / count
        let z = statistics.reduce(0) { $0 + $1.routes.reduce(0) { $0 + $1.z } } / count
        found.append(("loss", abs(loss - (try golden.double("loss")))))
        found.append(("load_balance_loss", abs(balance / (try golden.double("load_balance_loss")) - 1)))
        found.append(("z_loss", abs(z / (try golden.double("z_loss")) - 1)))
        let dropped = try golden.values("dropped", as: Int64.self)
        for (microBatch, of) in statistics.enumerated() {
            // Dense layers drop nothing and are not in the file.
            let routed = of.routes.indices.filter(bench.model.settings.isRouted)
            for layer in of.routes.indices where !routed.contains(layer) { #expect(of.routes[layer].dropped == 0) }
            for (place, layer) in routed.enumerated() {
                #expect(of.routes[layer].dropped == Int(dropped[microBatch * routed.count + place]))
            }
        }
        return found + (try gradientDeviations(golden, bench))
    }

    private func gradientDeviations(_ golden: Golden, _ bench: Bench) throws -> [(String, Double)] {
        try bench.model.layout.entries.map { entry in
            let expected = try golden.values("gradients/\(entry.name)", as: Double.self)
            var largest = 0.0, deviation = LargestDeviation()
            for i in 0..<entry.count {
                let value = expected[entry.globalOffset + i]
                largest = max(largest, abs(value))
                deviation.add(Double(bench.gradients.value(at: entry.offset + i)), expected: value)
            }
            return (entry.name, deviation.value / largest)
        }
    }
}
