package import Collectives
import Corpora
import Layers
import Tensors

extension StoredModel {
    /// Continues a text token by token, each from the last `context` tokens. **Collective** over the ranks of the engine.
    /// - Parameters:
    ///   - prompt: where to begin; nothing stands for the beginning of a document
    ///   - emit: takes the bytes of each new token
    package func generate(
        after prompt: [UInt8], tokens count: Int, _ sampling: Sampling, emit: ([UInt8]) -> Void
    ) throws(CommunicationError) {
        var text = prompt.isEmpty ? [tokenizer.endOfText] : tokenizer.encode(prompt).dropLastEnd(tokenizer.endOfText)
        for position in 0..<count {
            let window = text.suffix(configuration.model.context)
            let lane = Lane(sequences: 1, sequenceLength: window.count)
            for (i, token) in window.enumerated() { lane.inputs[i] = Int32(token) }
            let logits = try engine.model.nextTokenLogits(
                lane, parameters, workspace: engine.workspace, through: engine.dispatcher, on: engine.workers)
            let token = sampling.choose(logits, allowed: tokenizer.vocabularySize, position: position)
            if token == tokenizer.endOfText { return }
            text.append(token)
            emit(tokenizer.decode([token]))
        }
    }
}

extension [UInt16] {
    /// As numbers, without an end-of-text token at the end.
    fileprivate func dropLastEnd(_ end: Int) -> [Int] {
        let numbers = map(Int.init)
        return numbers.last == end ? numbers.dropLast() : numbers
    }
}
