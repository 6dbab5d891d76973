import Collectives
import Configuration
import Data
import Diagnostics
import Model
package import Parallelism
import Platform
import Tensors
import Tokenizers

extension StoredModel {
    /// Continues a text token by token, each from the last `context` tokens. **Collective** over the ranks of the engine,
    /// which compute the same.
    ///
    /// While the text fits the context, a token passes through the model once and keys and values are kept. From then on the
    /// window moves: what is kept knows of tokens that have left it, and positions count from the window's beginning, so
    /// every token costs a pass over the whole window.
    /// - Parameters:
    ///   - prompt: where to begin; nothing stands for the beginning of a document
    ///   - requests: asked before every token
    ///   - emit: takes the bytes of each new token
    /// - Throws: `temporaryFailure` if somebody asked to leave, and what `emit` throws
    package func generate(
        after prompt: [UInt8], tokens count: Int, _ sampling: Sampling, unless requests: RunControl,
        emit: ([UInt8]) throws -> Void
    ) throws {
        var text = prompt.isEmpty ? [tokenizer.endOfText] : tokenizer.encode(prompt).dropLastEnd(tokenizer.endOfText)
        let cache = KeyValueCache(configuration.model, engine.precision)
        for position in 0..<count {
            guard try !requests.shouldStop() else { throw Failure.stopped("while generating") }
            let microBatch = unseen(of: text, cache)
            let logits = try engine.model.nextTokenLogits(
                microBatch,
                in: engine.pass(.evaluation, parameters, of: microBatch, cache: cache))
            let own = sampling.choose(logits, allowed: tokenizer.vocabularySize, position: position)
            // One rank's choice counts: where machines differ, ranks must not come to differ about the end.
            let token = try Agreement(ranks: engine.mesh.world).choice(of: own)
            if token == tokenizer.endOfText { return }
            text.append(token)
            try emit(tokenizer.decode([token]))
        }
    }

    /// What of a text's last `context` tokens has yet to pass through the model: all of them if the cache is of no use.
    private func unseen(of text: [Int], _ cache: KeyValueCache) -> MicroBatch {
        if text.count > cache.context { cache.reset() }
        let tokens = text.suffix(cache.context).dropFirst(cache.count)
        let microBatch = MicroBatch(sequences: 1, sequenceLength: tokens.count)
        for (i, token) in tokens.enumerated() { microBatch.inputs[i] = Int32(token) }
        return microBatch
    }
}

extension [UInt32] {
    /// As numbers, without an end-of-text token at the end.
    fileprivate func dropLastEnd(_ end: Int) -> [Int] {
        let numbers = map(Int.init)
        return numbers.last == end ? numbers.dropLast() : numbers
    }
}

extension Agreement {
    /// Rank 0's number, on every rank. **Collective**.
    fileprivate func choice(of number: Int) throws(Failure) -> Int {
        Int(try broadcast("\(number)")) ?? number
    }
}
