import Configuration
import Diagnostics
import Foundation
import Planning
import Testing

/// What a plan takes from the runs behind its law, and from the way FLOPs are counted.
@Suite struct PlanConventionTests {
    private func request(_ flops: Double, experts: [Double], _ granularities: [Double] = [1]) -> PlanRequest {
        var request = PlanRequest.budget(flops, experts: experts)
        request.granularities = granularities
        return request
    }

    /// E = 1 is a dense model: the paper has coefficients of its own for those.
    @Test func oneExpertTakesTheDenseCoefficients() throws {
        let plan = try Plan(request(1e19, experts: [1, 64], [1, 8]), by: .published("fine-grained"))
        let dense = plan.entries.filter { $0.experts == 1 }
        #expect(dense.count == 1 && dense[0].granularity == 1)
        let sizing = dense[0].optimum
        let point = ScalePoint(
            active: sizing.activeParameters, total: sizing.totalParameters, tokens: sizing.tokens)
        expect(sizing.loss, ChinchillaLaw.fineGrainedBaseline.loss(at: point), within: 1e-12)
        #expect(try #require(dense[0].computeAdvantage) == 1)
        #expect(!dense[0].warnings.contains { $0.contains("E = 1") })
        // Dense without routing, by brute force.
        let best = stride(from: 64.0, to: 4000, by: 0.5).map { d -> Double in
            let shape = Architecture(dModel: d, experts: 1)
            let tokens = 1e19 / (72 * d * d * d / 64)
            return ChinchillaLaw.fineGrainedBaseline.loss(at: Counting.fineGrained.point(shape, tokens: tokens))
        }.min()!
        #expect(sizing.loss <= best + 1e-12 && sizing.loss >= best - 1e-4)
        // The order in which granularities are asked for does not matter.
        let other = try Plan(request(1e19, experts: [1, 64], [8, 1]), by: .published("fine-grained"))
        #expect(other.entries.filter { $0.experts == 1 }.map(\.granularity) == [1])
    }

    /// A fit to MoE runs says nothing of dense models.
    @Test func aFitWithoutDenseRunsRefusesOneExpert() throws {
        let law = PlanningLaw(
            name: "fit.json", law: FineGrainedLaw.published, dense: nil, domain: FineGrainedLaw.metadata.domain,
            certainty: .unknown)
        #expect { try Plan(request(1e19, experts: [1]), by: law) } throws: {
            "\($0)".contains("fit.json: the law `fine-grained` was fitted to experts")
                && "\($0)".contains("--experts 64")
        }
        #expect(try Plan(request(1e19, experts: [64]), by: law).entries.count == 1)
    }

    /// A cluster's budget is spent as the trainer counts it; brute force over widths.
    @Test func measuredRatesBuyTheTrainersFLOPs() throws {
        var request = request(1e19, experts: [8])
        request.countsLikeTrainer = true
        let plan = try Plan(request, by: .published("joint")), best = plan.best.optimum
        expect(best.trainerFLOPs, 1e19, within: 1e-12)
        #expect(abs(best.trainingFLOPs / 1e19 - 1) > 0.02)
        let grid = stride(from: 64.0, to: 4000, by: 0.5).map { d -> Double in
            let shape = Architecture(dModel: d, experts: 8)
            let tokens = 1e19 / Counting.decoder.trainerFLOPsPerToken(shape, context: 512)
            return JointLaw.published.loss(at: Counting.decoder.point(shape, tokens: tokens))
        }.min()!
        #expect(best.loss <= grid + 1e-12 && best.loss >= grid - 1e-4)
        #expect(plan.text.contains("as the trainer does (context 512): the cluster's budget is the trainer's"))
        request.countsLikeTrainer = false
        let paper = try Plan(request, by: .published("joint"))
        expect(paper.best.optimum.trainingFLOPs, 1e19, within: 1e-12)
        #expect(paper.records[0].trainerFLOPs == paper.best.optimum.trainerFLOPs)
    }

    private func fitted(_ change: (RunMeasurement) -> RunMeasurement) throws -> FitRecord {
        var options = FitOptions()
        options.resamples = 0
        return try FitReport(ChinchillaLaw.self, Simulation.chinchilla(noise: 0.01, seed: 4).map(change), options)
            .record
    }

    /// The law of a fit and what its runs had in common, through the file.
    @Test func plansByAFitFollowItsRuns() throws {
        let record = try fitted { run in
            RunMeasurement(
                source: run.source, point: run.point, loss: run.loss, vocabularySize: 4096, context: 256,
                countedFLOPs: 0.7 * 6 * run.point.active * run.point.tokens)
        }
        let stored = try JSONDecoder().decode(FitRecord.self, from: JSONEncoder().encode(record))
        let law = try stored.planningLaw(name: "fit.json")
        #expect(law.conventions.commonVocabularySize == 4096 && law.conventions.commonContext == 256)
        let other = try Plan(request(1e20, experts: [1]), by: law)
        #expect(other.cautions.count == 3)
        #expect(other.cautions[0].contains("vocabulary of 50257, the runs behind fit.json one of 4096"))
        #expect(other.cautions[1].contains("context of 512 tokens, the runs behind fit.json one of 256"))
        #expect(other.cautions[2].contains("count 0.7 to 0.7 times 6·N_act·D"))
        #expect(other.records[0].warnings.starts(with: other.cautions) && other.text.contains(other.cautions[0]))
        var same = request(1e20, experts: [1])
        (same.vocabularySize, same.context, same.countsLikeTrainer) = (4096, 256, true)
        #expect(try Plan(same, by: law).cautions.isEmpty)
        // The joint study's rule for learning rates holds for the sizes of its models.
        #expect(try Plan(same, by: law).best.learningRateCaution == nil)
        var small = same
        small.flops = 1e16
        let tiny = try Plan(small, by: law)
        #expect(tiny.best.learningRateCaution?.contains("30M to 1.3B active parameters") == true)
        #expect(tiny.text.contains("look for the best rate at this size"))
        let silent = try fitted { $0 }
        #expect(try Plan(request(1e20, experts: [1]), by: silent.planningLaw(name: "f")).cautions.isEmpty)
    }

    @Test func plansByAFitNameWhatItsRunsDoNotDetermine() throws {
        let runs = Simulation.joint(noise: 0.004, seed: 1).filter { [1, 8].contains($0.point.experts) }
        var options = FitOptions()
        options.resamples = 0
        let record = try FitReport(JointLaw.self, runs, options).record
        let plan = try Plan(request(1e20, experts: [8]), by: record.planningLaw(name: "fit.json"))
        #expect(
            plan.cautions.contains { $0.contains("the runs behind fit.json do not determine") && $0.contains("E_max") })
        let yaml = try plan.runConfiguration(plan.best, in: RunPaths(directory: "r", train: "t", tokenizer: "auto"))
            .yaml
        #expect(yaml.contains("# beware: the runs behind fit.json do not determine"))
    }

    @Test func whatTheTrainerDoesNotTakeIsNotWritten() throws {
        var request = request(1e20, experts: [100_000])
        request.vocabularySize = 100_000
        let plan = try Plan(request, by: .published("joint"))
        #expect {
            try plan.runConfiguration(plan.best, in: RunPaths(directory: "r", train: "t", tokenizer: "auto")).yaml
        } throws: { "\($0)".contains("at most 65,536 as --experts, not 100000") }
        request.vocabularySize = 300.5
        #expect { try Plan(request, by: .published("joint")) } throws: {
            "\($0)".contains("--vocabulary-size must be a whole")
        }
    }
}
