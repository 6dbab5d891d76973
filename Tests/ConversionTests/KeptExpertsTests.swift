import Configuration
import Conversion
import Model
import Testing

/// Which experts stay, for scores written down.
struct KeptExpertsTests {
    private func model(_ experts: ExpertsPerLayer, layers: Int, topK: Int = 1, granularity: Int = 1)
        -> ModelShape
    {
        ModelShape(
            dModel: 4, layers: layers, heads: 1, context: 1, vocabularySize: 1, experts: experts, topK: topK,
            granularity: granularity, feedForward: 1)
    }

    private static let scores: [[Double]] = [[5, 9, 0, 7], [1, 1, 1, 20], [6, 6, 8, 3]]

    @Test(arguments: [
        (1, 1, [[1], [3], [2]]), (2, 1, [[1, 3], [3], [0, 1, 2]]),
        (2, 2, [[1, 3], [0, 3], [0, 2]]), (3, 1, [[0, 1, 3], [0, 3], [0, 1, 2, 3]]),
        (4, 1, [[0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3]]),
    ])
    func ofTheWholeModel(target: Int, topK: Int, expected: [[Int]]) throws {
        let kept = try KeptExperts(target, of: model(4, layers: 3, topK: topK), over: .model, scores: Self.scores)
        #expect(kept.numbers == expected)
        #expect(kept.experts == ExpertsPerLayer(byLayer: expected.map(\.count)))
    }

    @Test func ofEachLayer() throws {
        let kept = try KeptExperts(2, of: model(4, layers: 3), over: .layer, scores: Self.scores)
        #expect(kept.numbers == [[1, 3], [0, 3], [0, 2]] && kept.experts == 2)
    }

    @Test func denseLayersHaveNoneAndCountForNothing() throws {
        var model = model(4, layers: 3)
        model.dense = DenseLayersConfiguration([1], hiddenSize: 5)
        let scores = [Self.scores[0], [], Self.scores[2]]
        let layer = try KeptExperts(2, of: model, over: .layer, scores: scores)
        #expect(layer.numbers == [[1, 3], [], [0, 2]] && layer.experts == 2)
        // Four of 9, 7, 5, 0 and 8, 6, 6, 3, at least one of each layer.
        let whole = try KeptExperts(2, of: model, over: .model, scores: scores)
        #expect(whole.numbers == [[1, 3], [], [0, 2]])
        let most = try KeptExperts(3, of: model, over: .model, scores: scores)
        #expect(most.numbers == [[0, 1, 3], [], [0, 1, 2]])
    }

    /// The best of any choice that keeps enough in each layer: all of them tried.
    @Test func noOtherChoiceIsUsedMore() throws {
        let model = model(4, layers: 3)
        for target in 1...4 {
            let kept = try KeptExperts(target, of: model, over: .model, scores: Self.scores)
            var found = 0.0, best = 0.0
            for (layer, numbers) in kept.numbers.enumerated() {
                for expert in numbers { found += Self.scores[layer][expert] }
            }
            for choice in 0..<1 << 12 where choice.nonzeroBitCount == 3 * target {
                guard (0..<3).allSatisfy({ choice >> (4 * $0) & 15 != 0 }) else { continue }
                var sum = 0.0
                for expert in 0..<12 where choice >> expert & 1 == 1 { sum += Self.scores[expert / 4][expert % 4] }
                best = max(best, sum)
            }
            #expect(found == best, "\(3 * target) of 12")
        }
    }

    /// An expert cut into two pieces stays or goes whole units at a time: the two most used pieces first.
    @Test func piecesStayTogether() throws {
        let scores: [[Double]] = [[1, 9, 2, 8], [5, 5, 5, 5]]
        let kept = try KeptExperts(1, of: model(2, layers: 2, granularity: 2), over: .model, scores: scores)
        #expect(kept.numbers == [[1, 3], [0, 1]] && kept.experts == 1)
        // Units of 17, 14 and 3 against 10 and 5: the fourth place goes to the second layer's second.
        let uneven = try KeptExperts(
            2, of: model(ExpertsPerLayer(byLayer: [3, 2]), layers: 2, granularity: 2), over: .model,
            scores: [[1, 9, 2, 8, 7, 7], [5, 5, 0, 5]])
        #expect(uneven.numbers == [[1, 3, 4, 5], [0, 1, 2, 3]] && uneven.experts == 2)
    }

    @Test(arguments: [0, 1, 4]) func asManyAsThereAreAndATokenNeeds(target: Int) {
        let model = model(ExpertsPerLayer(byLayer: [4, 4, 2]), layers: 3, topK: 2)
        let scores: [[Double]] = [[1, 2, 3, 4], [1, 2, 3, 4], [1, 2]]
        let message = refusal { _ = try KeptExperts(target, of: model, over: .model, scores: scores) }
        #expect(message?.contains("the model has [4, 4, 2], and a token chooses 2") == true)
    }
}
