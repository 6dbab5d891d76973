import Diagnostics
import Planning
import Platform
import Testing

@Suite struct BadRequestTests {
    private func refuse(
        _ law: String = "joint", flops: Double? = 1e20, experts: [Double] = [1, 2], saying words: String,
        _ change: (inout PlanRequest) -> Void = { _ in }
    ) {
        #expect {
            var request = PlanRequest(experts: experts)
            request.flops = flops
            change(&request)
            _ = try Plan(request, by: .published(law))
        } throws: { error in
            guard let failure = error as? Failure, failure.status == .usage else { return false }
            return failure.description.contains(words)
        }
    }

    @Test func whatNoModelFitsIsExplained() {
        refuse(flops: 1e9, saying: "1e9 FLOPs give the smallest 25.7 tokens")
        refuse(saying: "the smallest takes 13 MB, the memory is 1 MB") { $0.memory = .init(bytes: 1e6) }
        refuse(saying: "the limit is 1K") { $0.maximumTotal = 1000 }
        refuse("routed", flops: 1e15, saying: "the law holds at 130B tokens")
    }

    @Test func choicesThatDoNotFitAreListedBesideThoseThatDo() throws {
        let plan = try PlanTests.joint(flops: 1e18, experts: [1, 100_000]) { $0.memory = .init(bytes: 100e6) }
        #expect(plan.entries.map(\.experts) == [1])
        #expect(plan.impossible.count == 1 && plan.impossible[0].reason.contains("the memory is 100 MB"))
        #expect(plan.text.contains("No model fits"))
    }

    @Test func numbersThatMakeNoSense() {
        refuse(flops: -1, saying: "--flops must be a positive number")
        refuse(flops: .nan, saying: "--flops must be a positive number")
        refuse(experts: [1.5], saying: "--experts must be whole numbers")
        refuse(experts: [0], saying: "--experts must be whole numbers")
        refuse(experts: [], saying: "must not be empty")
        refuse(saying: "--inference-tokens") { $0.inferenceTokens = -1 }
        refuse(saying: "--bytes-per-parameter") { $0.memory = .init(bytes: 1e9, bytesPerParameter: 0) }
        refuse(flops: nil, saying: "infinitely large")
        refuse(flops: nil, saying: "infinitely large") { $0.memory = .init(bytes: 1e9) }
        refuse("sparsity", saying: "K must be at most E") { $0.topKs = [4] }
    }

    @Test func aLawIsNotAskedWhatItDoesNotKnow() {
        refuse(saying: "nothing about granularity") { $0.granularities = [1, 2] }
        refuse(saying: "nothing about top-k") { $0.topKs = [2] }
        refuse("chinchilla", saying: "dense models only")
        refuse("fine-grained", experts: [1], saying: "no effect with --experts 1") { $0.granularities = [8] }
        refuse("fine-grained", experts: [1], saying: "no effect with --experts 1") { $0.granularities = [1, 8] }
    }

    @Test func memoryAndTokensAloneAreABudget() throws {
        let plan = try PlanTests.joint(flops: nil) {
            $0.memory = .init(bytes: 24e9)
            $0.maximumTokens = 100e9
        }
        #expect(plan.best.limits == ["tokens", "memory"])
        expect(try #require(plan.best.memoryBytes), 24e9, within: 0.1)
    }
}
