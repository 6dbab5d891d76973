import Configuration
import Kernels
import Model
import Planning
import Tensors
import Testing
import Training

/// What `plan --write-config` writes, read as the trainer reads it.
struct PlannedConfigurationTests {
    private func planned(
        _ law: String, experts: Double, granularity: Double = 1, context: Double = 512, bfloat16: Bool = true
    ) throws -> (plan: Plan, configuration: RunConfiguration) {
        var request = PlanRequest(experts: [experts])
        (request.flops, request.granularities, request.context) = (1e19, [granularity], context)
        let plan = try Plan(request, by: .published(law))
        var places = RunPaths(directory: "runs/planned", train: "corpus.txt", tokenizer: "auto")
        places.hasBFloat16 = bfloat16
        let yaml = try plan.runConfiguration(plan.best, in: places).yaml
        return (plan, try RunConfiguration(ConfigurationDocument(yaml: yaml, file: "planned.yaml")))
    }

    /// The plan's count of the trainer's FLOPs is the trainer's, by exact layout.
    @Test(arguments: [
        ("joint", 1.0, 1.0, 512.0), ("joint", 8, 1, 1024), ("fine-grained", 64, 8, 512), ("fine-grained", 1, 1, 300),
    ])
    func theTrainersFLOPsAreTheTrainers(law: String, experts: Double, granularity: Double, context: Double) throws {
        let (plan, configuration) = try planned(law, experts: experts, granularity: granularity, context: context)
        let model = plan.best.buildable
        let counted = model.trainerFLOPs / model.tokens
        let work = ModelCost(try configuration.resolved(tokenizer: 1).model).flopsPerToken
        // The fine-grained study's hidden size of 8/3·d is rounded to whole experts.
        #expect(abs(counted / work - 1) < (law == "joint" ? 1e-12 : 2e-3), "\(counted) \(work)")
    }

    @Test func theWholeRecipeIsThere() throws {
        let joint = try planned("joint", experts: 8).configuration
        #expect(joint.precision == .bfloat16 && joint.checkpoint.everyMinutes == 30)
        #expect(joint.model.norm == .layer && joint.schedule.kind == .wsd)
        #expect(joint.length.validationTokens == 67_108_864)
        #expect(try planned("joint", experts: 8, bfloat16: false).configuration.precision == .float32)
        let fine = try planned("fine-grained", experts: 64, granularity: 4).configuration
        #expect(fine.schedule.kind == .cosine && fine.schedule.finalShare == 0.1)
        #expect(fine.optimizer.learningRate == .value(2e-4))
        #expect(fine.batch.tokens == 524_288)
    }
}
