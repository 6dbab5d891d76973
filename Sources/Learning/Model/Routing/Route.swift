package import Tensors

/// Where every token of one lane goes: choices, gates, seats. Fedus, Zoph & Shazeer, "Switch Transformers"
/// (arXiv:2101.03961), section 2.2; the rules are invariant 3 of docs/architecture.md.
package struct Route: Sendable {
    package let experts: Int
    package let choicesPerToken: Int
    /// `[tokens, experts]`, softmax of the router's logits.
    package let probabilities: Tensor
    /// `[tokens]` of the router's logits.
    package let logSumExp: Vector<Float>
    /// `[tokens · k]`: global expert numbers, a token's choices side by side, best first.
    package let choices: Vector<Int32>
    /// `[tokens · k]`: by what an expert's answer is multiplied.
    package let gates: Vector<Float>
    /// `[tokens · k]`: place in the expert's queue, counted over all assignments.
    package let seats: Vector<Int32>
    /// `[tokens · k]`: row among those that travel in the current exchange, −1 for none.
    package let rowOf: Vector<Int32>
    /// `[experts]`: assignments before capacity.
    package let assigned: Vector<Int32>

    package init(tokens: Int, experts: Int, choicesPerToken k: Int) {
        self.experts = experts
        choicesPerToken = k
        probabilities = Tensor(rows: tokens, columns: experts)
        logSumExp = Vector(count: tokens)
        choices = Vector(count: tokens * k)
        gates = Vector(count: tokens * k)
        seats = Vector(count: tokens * k)
        rowOf = Vector(count: tokens * k)
        assigned = Vector(count: experts)
    }

    /// The same memory for a layer of no more experts.
    func narrowed(toExperts experts: Int) -> Route { Route(self, experts: experts) }

    private init(_ wide: Route, experts: Int) {
        self.experts = experts
        choicesPerToken = wide.choicesPerToken
        probabilities = wide.probabilities.reshaped(rows: wide.probabilities.rows, columns: experts)
        (logSumExp, choices, gates) = (wide.logSumExp, wide.choices, wide.gates)
        (seats, rowOf, assigned) = (wide.seats, wide.rowOf, wide.assigned[0..<experts])
    }

    /// Instead of the router's choices: experts in turn, each with the same share of the tokens to one. Gates are the
    /// probabilities the router gave them.
    package func spreadEvenly(tokens: Int) {
        for i in 0..<tokens * choicesPerToken {
            choices[i] = Int32(i % experts)
            gates[i] = probabilities[i / choicesPerToken, i % experts]
        }
    }

    /// Queues up: every token's first choice in token order, then every token's second choice, and so on.
    package func assignSeats(tokens: Int) {
        for e in 0..<experts { assigned[e] = 0 }
        for j in 0..<choicesPerToken {
            for t in 0..<tokens {
                let i = t * choicesPerToken + j
                let expert = Int(choices[i])
                seats[i] = assigned[expert]
                assigned[expert] += 1
            }
        }
    }

    /// Who travels in one exchange: the assignments whose seat lies in `window`, ordered by expert and seat.
    ///
    /// Training sends the window `0 ..< capacity` and drops the rest; dropless evaluation sends one window after the
    /// other, so that the buffers of training suffice.
    package func seat(_ window: Range<Int>, tokens: Int, counts: Vector<Int32>) {
        var first = [Int32](repeating: 0, count: experts)
        var next: Int32 = 0
        for e in 0..<experts {
            let seated = max(0, min(Int(assigned[e]), window.upperBound) - window.lowerBound)
            first[e] = next
            counts[e] = Int32(seated)
            next += Int32(seated)
        }
        for i in 0..<tokens * choicesPerToken {
            let seat = Int(seats[i])
            rowOf[i] = window.contains(seat) ? first[Int(choices[i])] + Int32(seat - window.lowerBound) : -1
        }
    }

    /// The longest queue.
    package var longestQueue: Int { (0..<experts).reduce(0) { max($0, Int(assigned[$1])) } }
}
