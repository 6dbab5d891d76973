import Foundation
import Planning
import Randomness

/// Runs whose losses a law gives, with normal noise: the data of the refits.
enum Simulation {
    static let jointExperts: [Double] = [1, 2, 4, 8, 16, 32]

    /// 270 runs like the joint study's: six E, d 256…2304 with d/64 blocks, 0.5–80B tokens, 45 runs for each E.
    static func joint(noise: Double, seed: UInt64) -> [RunMeasurement] {
        let widths: [(d: Double, tokens: [Double])] = [
            (256, [0.5, 1, 4, 16, 64]), (512, [0.5, 1, 2, 8, 32]), (640, [0.5, 2, 8, 32, 80]),
            (768, [1, 2, 4, 16, 64]),
            (1024, [1, 4, 8, 16, 32]), (1280, [1, 2, 8, 16, 64]), (1664, [2, 4, 8, 16, 32]), (1792, [2, 4, 8, 32, 80]),
            (2304, [2, 4, 8, 16, 32]),
        ]
        let points = jointExperts.flatMap { e in
            widths.flatMap { width in
                width.tokens.map { tokens in
                    Counting.decoder.point(Architecture(dModel: width.d, experts: e), tokens: tokens * 1e9)
                }
            }
        }
        return runs(points, JointLaw.published, noise: noise, seed: seed)
    }

    /// Fine-grained runs: five d, four lengths, five G.
    static func fineGrained(noise: Double, seed: UInt64) -> [RunMeasurement] {
        let points = [256.0, 384, 512, 640, 768, 1024].flatMap { d in
            [4e9, 8e9, 16e9, 33e9, 66e9, 130e9].flatMap { tokens in
                [1.0, 2, 4, 8, 16].map { g in
                    Counting.fineGrained.point(Architecture(dModel: d, experts: 64, granularity: g), tokens: tokens)
                }
            }
        }
        return runs(points, FineGrainedLaw.published, noise: noise, seed: seed)
    }

    /// 240 dense runs from 44M to 16B parameters on isoFLOP lines like the Chinchilla study's.
    static func chinchilla(noise: Double, seed: UInt64) -> [RunMeasurement] {
        let points = (0..<16).flatMap { i in
            (0..<15).map { j in
                let n = 44e6 * pow(16e9 / 44e6, Double(i) / 15)
                let flops = 6e18 * pow(10, 2.5 * Double(j) / 14) * pow(n / 44e6, 0.6)
                return ScalePoint(active: n, total: n, tokens: flops / (6 * n))
            }
        }
        return runs(points, ChinchillaLaw.refitted, noise: noise, seed: seed)
    }

    static func runs(_ points: [ScalePoint], _ law: some ScalingLaw, noise: Double, seed: UInt64) -> [RunMeasurement] {
        let random = RandomFunction(seed: seed, purpose: .tests)
        return points.enumerated().map { index, point in
            let (u, v) = (random.uniform(UInt64(2 * index)), random.uniform(UInt64(2 * index + 1)))
            let normal = (-2 * log(u)).squareRoot() * cos(2 * .pi * v)  // Box & Muller
            return RunMeasurement(source: "run \(index)", point: point, loss: law.loss(at: point) + noise * normal)
        }
    }
}

/// The middle value.
func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
