import TestSupport
import Checkpoints
import Collectives
import Configuration
import Data
import Inference
import Kernels
import Model
import Parallelism
import RunFormat
import Tensors
import Testing

/// A text that goes on beyond the context is the one that whole windows give, token by token.
struct GenerationTests {
    @Test(arguments: [1, 2], [1, 20, 40]) func isThatOfWholeWindows(ranks: Int, prompt: Int) throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, ["train.steps=3", "optimizer.learning_rate=0.01"])
            try run.train()
            let checkpoint = CheckpointFolder(run.directory.checkpoints).published.last!.directory
            let begin = Array("Line 17 of a text that a model of two layers".utf8.prefix(prompt))
            let texts = try VirtualRanks.run(ranks) { world in
                let model = try StoredModel(CheckpointReader(checkpoint, sharedBy: world), threads: 1, on: world)
                var text: [UInt8] = []
                try model.generate(
                    after: begin, tokens: 50, Sampling(temperature: 0, top: 0, seed: 0), unless: RunControl(world)
                ) { text += $0 }
                #expect(try text == wholeWindows(model, after: begin, tokens: 50))
                return text
            }
            #expect(texts.allSatisfy { $0 == texts[0] } && texts[0].count == 50)
        }
    }

    /// Every token from the window before it, by a pass over all of it; bytes are tokens.
    private func wholeWindows(_ model: StoredModel, after prompt: [UInt8], tokens: Int) throws -> [UInt8] {
        let engine = model.engine
        var text = prompt
        for _ in 0..<tokens {
            let window = text.suffix(model.configuration.model.context)
            let microBatch = MicroBatch(sequences: 1, sequenceLength: window.count)
            for (i, byte) in window.enumerated() { microBatch.inputs[i] = Int32(byte) }
            let logits = try engine.model.nextTokenLogits(
                microBatch,
                in: engine.pass(
                    .evaluation, model.parameters, of: microBatch,
                    cache: KeyValueCache(model.configuration.model, engine.precision)))
            text.append(UInt8((0..<256).max { logits[0, $0] < logits[0, $1] }!))
        }
        return Array(text.dropFirst(prompt.count))
    }
}
