import Configuration
import Diagnostics
import Foundation
import Optimization
import Tensors
import TestSupport
import Testing
import Threading

/// What scripts/golden/muon.py computed in extended precision.
private struct Golden: Decodable {
    struct Settings: Decodable {
        var learning_rate: Double
        var momentum: Double
        var weight_decay: Double
        var gradient_scale: Double
    }

    struct Case: Decodable {
        var rows: Int
        var columns: Int
        var weights: [Double]
        var gradients: [[Double]]
        var after: [[Double]]
        var moment: [Double]
    }

    var settings: Settings
    var cases: [Case]

    static func read() throws -> Golden {
        let file = try #require(Bundle.module.url(forResource: "Golden/muon", withExtension: "json"))
        return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
    }
}

private func settings(_ yaml: String) throws -> OptimizerConfiguration {
    try OptimizerConfiguration(
        reading: ConfigurationDocument(yaml: "optimizer: \(yaml)", file: "run.yaml").section("optimizer"))
}

@Suite("Muon") struct MuonTests {
    @Test("updates are those of the NumPy reference") func golden() throws {
        let golden = try Golden.read(), given = golden.settings
        let muon = try settings(
            "{kind: muon, momentum: \(given.momentum), weight_decay: \(given.weight_decay)}")
        let step = MuonStep(muon, learningRate: given.learning_rate, gradientScale: given.gradient_scale)
        try #require(golden.cases.count == 5 && muon.kind == .muon)
        for test in golden.cases {
            let (rows, columns) = (test.rows, test.columns)
            let w = Vector(test.weights.map(Float.init)), m = Vector<Float>(count: rows * columns)
            let direction = Tensor(rows: rows, columns: columns), result = Tensor(rows: rows, columns: columns)
            let scratch = Vector<Float>(count: Orthogonalization.scratchCount(rows: rows, columns: columns))
            try #require(test.gradients.count == test.after.count && test.after.count == 3)
            for (gradient, expected) in zip(test.gradients, test.after) {
                step.accumulate(Vector(gradient.map(Float.init)), momentum: m, into: direction.vector)
                orthogonalize(
                    [Orthogonalization(of: direction, into: result, scratch: scratch)], on: ThreadPool(count: 1))
                step.update(w, direction: result.vector, rows: rows, columns: columns)
                let worst = LargestDeviation(w.array, expected.map(Float.init))
                #expect(worst.value <= 1e-6, "\(rows) x \(columns)")
            }
            #expect(LargestDeviation(m.array, test.moment.map(Float.init)).value <= 1e-7)
        }
    }

    @Test("an update is as large as one of AdamW: 0.2 times the learning rate in the mean square, decay besides")
    func size() throws {
        let step = MuonStep(try settings("{kind: muon, weight_decay: 0.5}"), learningRate: 0.25, gradientScale: 1)
        for (rows, columns) in [(4, 9), (9, 4)] {
            let w = Vector<Float>([1]), still = Vector<Float>([1])
            step.update(w, direction: Vector([1]), rows: rows, columns: columns)
            step.update(still, direction: Vector([0]), rows: rows, columns: columns)
            // 9 is the larger extent: α · 0.2 · 3, and α · 0.5 · w.
            #expect(abs(Double(w[0]) - (1 - 0.125 - 0.15)) <= 1e-6)
            #expect(still[0] == 0.875)
        }
    }

    @Test("impossible settings are refused", arguments: ["kind: sgd", "momentum: 1", "momentum: -0.1", "momentum: x"])
    func refused(setting: String) {
        #expect(throws: Failure.self) { try settings("{\(setting)}") }
    }
}
