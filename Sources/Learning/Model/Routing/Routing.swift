package import Tensors

/// Where every token of one micro-batch goes: choices, gates, slots. Fedus, Zoph & Shazeer, "Switch Transformers"
/// (arXiv:2101.03961), section 2.2; the rules are invariant 3 of docs/architecture.md.
package struct Routing: Sendable {
    package let experts: Int
    package let expertsPerToken: Int
    /// `[tokens, experts]`, softmax of the router's logits.
    package let probabilities: Tensor
    /// `[tokens]` of the router's logits.
    package let logSumExp: Vector<Float>
    /// `[tokens · k]`: global expert numbers, a token's choices side by side, best first.
    package let expertIndices: Vector<Int32>
    /// `[tokens · k]`: by what an expert's answer is multiplied.
    package let gates: Vector<Float>
    /// `[tokens · k]`: place in the expert's queue, counted over all assignments.
    package let slots: Vector<Int32>
    /// `[tokens · k]`: row among those that travel in the current exchange, −1 for none.
    package let sendRow: Vector<Int32>
    /// `[experts]`: assignments before capacity.
    package let tokensPerExpert: Vector<Int32>

    package init(tokens: Int, experts: Int, expertsPerToken k: Int) {
        self.experts = experts
        expertsPerToken = k
        probabilities = Tensor(rows: tokens, columns: experts)
        logSumExp = Vector(count: tokens)
        expertIndices = Vector(count: tokens * k)
        gates = Vector(count: tokens * k)
        slots = Vector(count: tokens * k)
        sendRow = Vector(count: tokens * k)
        tokensPerExpert = Vector(count: experts)
    }

    /// The same memory for a layer of no more experts.
    func narrowed(toExperts experts: Int) -> Routing { Routing(self, experts: experts) }

    private init(_ wide: Routing, experts: Int) {
        self.experts = experts
        expertsPerToken = wide.expertsPerToken
        probabilities = wide.probabilities.reshaped(rows: wide.probabilities.rows, columns: experts)
        (logSumExp, expertIndices, gates) = (wide.logSumExp, wide.expertIndices, wide.gates)
        (slots, sendRow, tokensPerExpert) = (wide.slots, wide.sendRow, wide.tokensPerExpert[0..<experts])
    }

    /// Queues up: every token's first choice in token order, then every token's second choice, and so on.
    package func assignSlots(tokens: Int) {
        tokensPerExpert.fill(with: 0)
        for j in 0..<expertsPerToken {
            for t in 0..<tokens {
                let i = t * expertsPerToken + j
                let expert = Int(expertIndices[i])
                slots[i] = tokensPerExpert[expert]
                tokensPerExpert[expert] += 1
            }
        }
    }

    /// Who travels in one exchange: the assignments whose slot lies in `slotRange`, ordered by expert and slot.
    ///
    /// Training sends the window `0 ..< capacity` and drops the rest; dropless evaluation sends one window after the
    /// other, so that the buffers of training suffice.
    package func assignSendRows(_ slotRange: Range<Int>, tokens: Int, counts: Vector<Int32>) {
        var first = [Int32](repeating: 0, count: experts)
        var next: Int32 = 0
        for e in 0..<experts {
            let slotted = max(0, min(Int(tokensPerExpert[e]), slotRange.upperBound) - slotRange.lowerBound)
            first[e] = next
            counts[e] = Int32(slotted)
            next += Int32(slotted)
        }
        for i in 0..<tokens * expertsPerToken {
            let slot = Int(slots[i])
            sendRow[i] =
                slotRange.contains(slot) ? first[Int(expertIndices[i])] + Int32(slot - slotRange.lowerBound) : -1
        }
    }

    /// The longest queue.
    package var maximumTokensPerExpert: Int { (0..<experts).reduce(0) { max($0, Int(tokensPerExpert[$1])) } }
}
