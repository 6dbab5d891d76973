import Benchmarking
import Configuration
import Kernels
import Model
import Testing

struct ProductShapeTests {
    private func shapes(experts: String) throws -> [ProductShape] {
        let yaml = """
            data: {train: nowhere.txt}
            model: {d_model: 32, layers: 3, heads: 2, context: 32, experts: \(experts), granularity: 2, vocabulary_size: 300}
            routing: {capacity_factor: 1.0}
            batch: {tokens: 256, micro_batch_tokens: 64}
            train: {steps: 8}
            """
        let run = try RunConfiguration(ConfigurationDocument(yaml: yaml, file: "shapes"))
            .resolved(tokenizer: 1)
        return ProductShape.all(of: run.model, run.routing, microBatchTokens: 64, headChunk: 64)
    }

    @Test func layersThatAreAlikeAreMeasuredOnce() throws {
        let names = try shapes(experts: "4").filter { $0.pass == .forward }.map(\.name)
        #expect(names == ["qkv", "attention output", "router", "expert gate and up", "expert down", "head"])
    }

    /// Each number of experts has its products, of as many copies and with capacity for the micro-batch's 128 assignments.
    @Test func everyNumberOfExpertsIsMeasured() throws {
        let forward = try shapes(experts: "[8, 2, 8]").filter { $0.pass == .forward }
        for experts in [4, 16] {
            let down = forward.filter { $0.name == "expert down, \(experts) experts" }
            #expect(down.map(\.copies) == [experts] && down.map(\.rows) == [128 / experts])
            #expect(forward.filter { $0.name == "router, \(experts) experts" }.map(\.columns) == [experts])
        }
        #expect(forward.count == 9)
    }
}
