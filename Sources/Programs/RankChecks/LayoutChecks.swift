import Collectives
import Configuration
import MatrixProducts
import Model
import Tensors

/// Invariants 1 and 2: the layout of a job changes nothing, to rounding in default mode and not one bit in exact mode.
package let layoutCheckList: [RankCheck] =
    Precision.allCases.filter(ProductLibrary.supports).flatMap { precision in
        [(1, "one choice"), (2, "two choices")].map { expertsPerToken, name in
            RankCheck("exact mode: every layout, the same bits, \(name), \(precision)") {
                let trial = LayoutTrial(
                    reproducible: true, precision: precision, steps: 20, expertsPerToken: expertsPerToken)
                try exactLayouts(trial, on: $0, $1)
            }
        }
    } + [
        RankCheck("exact mode: every layout, the same bits, layers of 12 and 8 experts") {
            let experts = ExpertsPerLayer(byLayer: [12, 8])
            try exactLayouts(
                LayoutTrial(reproducible: true, steps: 10, expertsPerToken: 2, experts: experts), on: $0, $1)
        },
        RankCheck("exact mode: every layout, the same bits, selection with biases") {
            let trial = LayoutTrial(reproducible: true, steps: 10, expertsPerToken: 2, balancing: .bias)
            try exactLayouts(trial, on: $0, $1)
        },
        RankCheck("exact mode: every layout, the same bits, Muon") {
            let trial = LayoutTrial(reproducible: true, steps: 20, expertsPerToken: 2, optimizer: .muon)
            try exactLayouts(trial, on: $0, $1)
        },
        RankCheck("exact mode: every layout, the same bits, grouped queries with biases and norms") {
            let keys = "kv_heads: 1, head_size: 6, attention_bias: all, qk_norm: head"
            try exactLayouts(
                LayoutTrial(reproducible: true, steps: 10, expertsPerToken: 2, optimizer: .muon, modelKeys: keys),
                on: $0, $1)
        },
        RankCheck("exact mode: every layout, the same bits, shared experts with a gate") {
            let keys = "shared_experts: 1, shared_hidden_size: 40, shared_gate: true"
            try exactLayouts(
                LayoutTrial(reproducible: true, steps: 10, expertsPerToken: 2, optimizer: .muon, modelKeys: keys),
                on: $0, $1)
        },
        RankCheck("exact mode: every layout, the same bits, a dense layer before one of experts") {
            let keys = "dense_layers: 1, dense_hidden_size: 50, shared_experts: 2, activation: relu2"
            try exactLayouts(
                LayoutTrial(reproducible: true, steps: 10, expertsPerToken: 2, optimizer: .muon, modelKeys: keys),
                on: $0, $1)
        },
        RankCheck("exact mode: every layout, the same bits, scaled rotary positions of half a head") {
            let keys = "head_size: 16, rope_fraction: 0.5, rope_scaling: yarn, rope_factor: 4, rope_original_context: 8"
            try exactLayouts(LayoutTrial(reproducible: true, steps: 5, modelKeys: keys), on: $0, $1)
        },
        RankCheck("exact mode: every layout, the same bits, attention within documents") {
            let trial = LayoutTrial(
                reproducible: true, precision: ProductLibrary.supports(.bfloat16) ? .bfloat16 : .float32, steps: 10,
                modelKeys: "kv_heads: 1", masksDocuments: true)
            try exactLayouts(trial, on: $0, $1)
        },
        RankCheck("exact mode: every layout, the same bits, steps of 1, 3 and 8 micro-batches") {
            let ramp = "[{tokens: 48, until: 144}, {tokens: 144, until: 600}]"
            try exactLayouts(LayoutTrial(reproducible: true, steps: 10, ramp: ramp), on: $0, $1)
        },
        RankCheck("exact mode: every layout, the same bits and losses by source, a mixture", mixture),
        RankCheck("recomputation: the same bits as keeping", recomputation),
        RankCheck("digests: two micro-batches exchanged, one bit flipped, each shows", digestsAreAlive),
        RankCheck("default mode: the same bits twice, every layout to rounding", defaultLayouts),
        RankCheck("distributed optimizer, overlapped reduction: the same bits", waysOfReducing),
    ]

/// Training on every allowed expert_parallel, 1 and 2 threads, against one virtual rank.
func exactLayouts(_ trial: LayoutTrial, on world: any Communicator, _ expectations: Expectations) throws {
    let reference = try trial.reference().trace
    expectations.expect(reference.dropped.allSatisfy { $0 > 0 }, "every step of the trial should drop tokens")
    for expertParallelSize in trial.expertParallelSizes(on: world) {
        for threads in [1, 2] {
            let trace = try trial.run(on: world, expertParallelSize: expertParallelSize, threads: threads).trace
            expectations.expectEqual(
                trace, reference, "expert_parallel \(expertParallelSize) of \(world.size) ranks, \(threads) threads")
        }
    }
}

/// Micro-batches that change places leave the sum of their gradients as it is: only their losses, each with its micro-batch's
/// number, can tell. A flipped bit of a parameter shows in the parameters' digest of that step and the gradients' of the next.
private func digestsAreAlive(on world: any Communicator, _ expectations: Expectations) throws {
    var trial = LayoutTrial(reproducible: true, steps: 2)
    let expertParallelSize = trial.expertParallelSizes(on: world).last!
    func trace(_ trial: LayoutTrial) throws -> LayoutTrial.Trace {
        try trial.run(on: world, expertParallelSize: expertParallelSize, threads: 1).trace
    }
    let reference = try trace(trial)
    trial.microBatchOrder.swapAt(1, 6)
    let exchanged = try trace(trial)
    expectations.expectEqual(exchanged.losses[0], reference.losses[0], "the loss of the same micro-batches")
    expectations.expectEqual(
        exchanged.parameterDigests, reference.parameterDigests, "what the same micro-batches teach")
    expectations.expect(
        exchanged.gradientDigests[0] != reference.gradientDigests[0],
        "exchanged micro-batches do not show in the digest")
    trial = LayoutTrial(reproducible: true, steps: 2)
    for tensor in ["embedding", "blocks.1.experts.down"] {
        trial.flippedBit = tensor
        let flipped = try trace(trial)
        expectations.expectEqual(flipped.parameterDigests[0], reference.parameterDigests[0], "before the flip")
        expectations.expect(
            flipped.parameterDigests[1] != reference.parameterDigests[1], "a flipped bit of \(tensor) does not show")
        expectations.expect(
            flipped.gradientDigests[1] != reference.gradientDigests[1],
            "a flipped bit of \(tensor) does not show in the gradients")
    }
}

private func defaultLayouts(on world: any Communicator, _ expectations: Expectations) throws {
    let trial = LayoutTrial(reproducible: false, steps: 20)
    let reference = try trial.reference()
    for expertParallelSize in trial.expertParallelSizes(on: world) {
        for threads in [1, 2] {
            let layout = "expert_parallel \(expertParallelSize) of \(world.size) ranks, \(threads) threads"
            let found = try trial.run(on: world, expertParallelSize: expertParallelSize, threads: threads)
            let again = try trial.run(on: world, expertParallelSize: expertParallelSize, threads: threads)
            expectations.expectEqual(again.trace, found.trace, "\(layout), twice")
            compareGradients(found.gradients, reference.gradients, layout, expectations)
            compareLosses(found.trace, reference.trace, layout, expectations)
        }
    }
}

/// To 1e-6 of the whole tensor's norm.
private func compareGradients(
    _ found: LayoutTrial.FirstGradients, _ reference: LayoutTrial.FirstGradients, _ layout: String,
    _ expectations: Expectations
) {
    for (name, whole) in reference.values {
        guard let part = found.values[name] else { continue }
        var difference = 0.0, norm = 0.0
        for element in whole.elements { norm += Double(element) * Double(element) }
        for (i, element) in part.elements.enumerated() {
            let expected = whole.elements[part.offset - whole.offset + i]
            difference += Double(element - expected) * Double(element - expected)
        }
        let share = (difference / norm).squareRoot()
        expectations.expect(share <= 1e-6, "\(layout): gradient of \(name) differs by \(share) of its norm")
    }
}

/// To 1e-6 until a token is routed otherwise, which rounding brings about sooner or later, and to 1e-3 from then on.
private func compareLosses(
    _ found: LayoutTrial.Trace, _ reference: LayoutTrial.Trace, _ layout: String, _ expectations: Expectations
) {
    var flipped = false
    for (step, (loss, expected)) in zip(found.losses, reference.losses).enumerated() {
        flipped = flipped || found.routes[step] != reference.routes[step]
        let bound = flipped ? 1e-3 : 1e-6
        expectations.expect(
            abs(loss - expected) <= bound * expected,
            "\(layout): loss \(loss) instead of \(expected) at step \(step + 1)\(flipped ? ", routes flipped" : "")")
    }
}

/// Whether optimizers are distributed and reductions overlap changes no bit, also in default mode; in exact mode those of one
/// rank. What all ranks hold afterwards is the same, also in bfloat16: the next step's losses tell.
private func waysOfReducing(on world: any Communicator, _ expectations: Expectations) throws {
    let rounded = ProductLibrary.supports(.bfloat16) ? Precision.bfloat16 : .float32
    let trials = [
        LayoutTrial(reproducible: true, steps: 4, balancing: .bias), LayoutTrial(reproducible: false, steps: 4),
        LayoutTrial(reproducible: false, precision: rounded, steps: 2, isWide: true),
        LayoutTrial(reproducible: true, precision: rounded, steps: 2, optimizer: .muon, isWide: true),
    ]
    for trial in trials {
        let reference = trial.reproducible ? try trial.reference().trace : nil
        for expertParallelSize in trial.expertParallelSizes(on: world) {
            let expected =
                try reference ?? trial.run(on: world, expertParallelSize: expertParallelSize, threads: 1).trace
            for (isDistributed, overlaps) in [(true, false), (false, true), (true, true)] {
                guard world.supportsThreads || !overlaps else { continue }
                var other = trial
                (other.isOptimizerDistributed, other.overlapsReduction) = (isDistributed, overlaps)
                // Both at once together with two micro-batches in flight, where one waits for the other's gradients.
                let found = try other.run(
                    on: world, expertParallelSize: expertParallelSize, threads: 2,
                    microBatchesInFlight: isDistributed && overlaps ? 2 : 1
                ).trace
                expectations.expect(
                    found == expected,
                    "\(trial.optimizer), exact: \(trial.reproducible), wide: \(trial.isWide), expert_parallel \(expertParallelSize), "
                        + "distributed: \(isDistributed), overlapped: \(overlaps): other bits")
            }
        }
    }
}

/// What is computed again is what was computed, exchanges included.
private func recomputation(on world: any Communicator, _ expectations: Expectations) throws {
    let dense = "dense_layers: 1, dense_hidden_size: 60, shared_experts: 1, shared_gate: true"
    for (precision, keys) in [(Precision.float32, "kv_heads: auto"), (.float32, dense), (.bfloat16, dense)]
    where ProductLibrary.supports(precision) {
        var trial = LayoutTrial(
            reproducible: false, precision: precision, steps: 3, expertsPerToken: 2,
            experts: ExpertsPerLayer(byLayer: [8, 12]), modelKeys: keys, masksDocuments: true)
        let expertParallelSize = trial.expertParallelSizes(on: world).last!
        let expected = try trial.run(on: world, expertParallelSize: expertParallelSize, threads: 1).trace
        for recomputation in [Recomputation.attention, .block] {
            trial.recomputation = recomputation
            let found = try trial.run(on: world, expertParallelSize: expertParallelSize, threads: 1).trace
            expectations.expect(found == expected, "recompute: \(recomputation) in \(precision) gives other bits")
        }
    }
}
