import Foundation
import ScalingLaws
import Testing

@Suite(.serialized) struct FitTests {
    static func optimum(_ law: any LossLaw, flops: Double, experts: Double, granularities: [Double] = [1]) throws -> Sizing {
        var request = PlanRequest(experts: [experts])
        request.flops = flops
        request.granularities = granularities
        let planning = PlanningLaw(
            name: law.name, law: law, dense: nil, domain: type(of: law).facts.domain, certainty: .unknown)
        let plan = try Plan(request, by: planning)
        return plan.entries.min { $0.optimum.loss < $1.optimum.loss }!.optimum
    }
    @Test func probe() throws {
        for noise in [0.0, 0.004] {
            for seed in UInt64(1)...(noise == 0 ? 1 : 5) {
                let start = Date()
                var options = FitOptions()
                options.resamples = 0
                options.seed = seed
                let fit = try Fit<JointLaw>(Simulation.joint(noise: noise, seed: seed), options)
                print("noise", noise, "seed", seed, "time", Date().timeIntervalSince(start), "starts", fit.starts, "objective", fit.objective, "train", fit.trainingError, "held", fit.heldOutError ?? -1)
                for flops in [1e20, 1e22] {
                    var text = "  \(flops):"
                    for e in Simulation.jointExperts {
                        let a = try Self.optimum(fit.law, flops: flops, experts: e), b = try Self.optimum(JointLaw.published, flops: flops, experts: e)
                        let at = JointLaw.published.loss(at: ScalePoint(active: a.activeParameters, total: a.totalParameters, tokens: a.tokens, experts: e))
                        text += String(format: " %.4f/%.5f", a.activeParameters / b.activeParameters - 1, at / b.loss - 1)
                    }
                    print(text)
                }
                for (j, p) in JointLaw.facts.parameters.enumerated() { print("   ", p.name, fit.law.parameters[j], "se", fit.determinacy.standardErrors[j], fit.determinacy.undetermined[j] ?? "") }
            }
        }
    }
}
