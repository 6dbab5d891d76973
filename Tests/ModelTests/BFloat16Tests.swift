import Collectives
import Configuration
import MatrixProducts
import Model
import Randomness
import Tensors
import Testing

/// The whole model in bfloat16 against itself in float32, which `GoldenTests` holds to the reference in double precision.
@Suite(.serialized, .enabled(if: ProductLibrary.supports(.bfloat16))) struct BFloat16Tests {
    /// Of a batch of micro-batches: what is compared.
    private struct Outcome {
        var loss: Double
        var routes: [UInt64]
        var gradients: [(name: String, values: [Double])]
    }

    /// On the reference's own batch if rounding leaves its routes as they are, else on the first drawn batch of which that
    /// is true: a token that goes elsewhere changes gradients by more than any rounding.
    ///
    /// How far rounding carries depends on the model. So each gradient is given three times what rounding the parameters
    /// alone does to it in float32 (activations are rounded as often and as much), and 12 times 2^−8, the most that rounding
    /// moves one number by, of its norm at most; 14 times where heads share keys and values, whose gradients are sums of as many
    /// rounded ones.
    @Test(arguments: Golden.names, [false, true]) func isFloat32Rounded(name: String, isExact: Bool) throws {
        let golden = try Golden(name)
        for seed in UInt64(0)..<100 {
            let microBatches =
                seed == 0 ? try golden.microBatches : draw(like: try golden.microBatches, try golden.model, seed)
            let exact = try train(name, microBatches, .float32, isExact),
                found = try train(name, microBatches, .bfloat16, isExact)
            let moved = try train(name, microBatches, .float32, isExact, roundsParameters: true)
            guard found.routes == exact.routes, moved.routes == exact.routes else { continue }
            let loss = abs(found.loss / exact.loss - 1)
            #expect(loss <= 0.01)
            let shape = try golden.model.attention, most = shape.keyValueHeads < shape.heads ? 14.0 : 12
            var worst = ("", 0.0)
            for (index, (tensor, reference)) in exact.gradients.enumerated() {
                let deviation = distance(found.gradients[index].values, reference)
                let bound = min(3 * distance(moved.gradients[index].values, reference), most * 0x1p-8)
                if deviation / bound > worst.1 { worst = (tensor, deviation / bound) }
                #expect(deviation <= bound, "gradient of \(tensor) deviates by \(deviation), allowed is \(bound)")
            }
            print("bfloat16 \(name), batch \(seed): loss deviates by \(loss), \(worst.0) by \(worst.1) of its bound")
            return
        }
        Issue.record("rounding changes the routes of every batch")
    }

    private func train(
        _ name: String, _ microBatches: [MicroBatch], _ precision: Precision, _ isExact: Bool,
        roundsParameters: Bool = false
    ) throws -> Outcome {
        try VirtualRanks.run(1) { world in
            let golden = try Golden(name)
            let bench = try Bench(
                golden.model, golden.routing, precision, microBatchTokens: microBatches[0].tokens,
                microBatches: microBatches.count,
                isExact: isExact, threads: 2, on: world)
            try golden.load(into: bench.parameters)
            if roundsParameters {
                let values = bench.parameters.values
                for i in 0..<values.count { values[i] = BFloat16(rounding: values[i]).float }
            }
            let statistics = try bench.train(microBatches)
            return Outcome(
                loss: statistics.reduce(0) { $0 + $1.crossEntropy },
                routes: statistics.flatMap(\.routes).map(\.expertIndicesDigest),
                gradients: bench.model.layout.all.map { (bench.model.layout[$0].name, bench.gradient($0)) })
        }[0]
    }

    private func draw(like microBatches: [MicroBatch], _ model: ModelShape, _ seed: UInt64) -> [MicroBatch] {
        microBatches.enumerated().map { number, like in
            let microBatch = MicroBatch(sequences: like.sequences, sequenceLength: like.sequenceLength)
            let random = RandomFunction(seed: seed, purpose: .tests, stream: UInt64(number))
            for t in 0..<microBatch.tokens {
                microBatch.inputs[t] = Int32(random.integer(UInt64(2 * t), below: UInt64(model.vocabularySize)))
                microBatch.targets[t] = Int32(random.integer(UInt64(2 * t + 1), below: UInt64(model.vocabularySize)))
            }
            return microBatch
        }
    }

    /// `‖a − b‖ / ‖b‖`
    private func distance(_ a: [Double], _ b: [Double]) -> Double {
        let difference = zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        return (difference / b.reduce(0) { $0 + $1 * $1 }).squareRoot()
    }
}
