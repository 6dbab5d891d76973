package import Diagnostics

/// Refuses runs from which `law` cannot be fitted at all.
///
/// - Throws: a `Failure` about duplicates, too few runs, or an axis of the law along which the runs do not differ,
///   or losses that do not
package func checkRuns(_ runs: [RunMeasurement], for law: LawMetadata) throws(Failure) {
    try refuseRepeats(runs)
    let needed = law.parameters.count + 2
    guard runs.count >= needed else {
        throw Failure(
            .data, "\(runs.count == 1 ? "one run is" : "\(runs.count) runs are") too few for the law `\(law.name)`",
            advice: "it has \(law.parameters.count) parameters and needs \(needed) runs at least; a good fit takes tens"
        )
    }
    if law.size != nil { try differ(Set(runs.map { law.logSize(of: $0.point) }), "size", "different sizes", law) }
    if law.variables.contains(.flops) { try differ(Set(runs.map(\.point.flops)), "compute", "different compute", law) }
    if law.variables.contains(.tokens) { try differ(Set(runs.map(\.point.tokens)), "tokens", "different lengths", law) }
    if law.variables.contains(.experts) {
        let choices = law.variables.contains(.topK) ? Set(runs.map(\.point.sparsity)) : Set(runs.map(\.point.experts))
        try differ(
            choices, law.variables.contains(.topK) ? "sparsity" : "number of experts",
            "different numbers of experts, or fit `chinchilla`, which has none", law)
    }
    if law.variables.contains(.granularity) {
        try differ(Set(runs.map(\.point.granularity)), "granularity", "different granularities", law)
    }
    guard Set(runs.map(\.loss)).count > 1 else {
        throw Failure(
            .data, "all runs have the same \(law.observes.rawValue), \(runs[0].loss), whatever their size",
            advice: "look whether the column holds what the runs ended with")
    }
}

/// - Throws: a `Failure` if a run is there twice
func refuseRepeats(_ runs: [RunMeasurement]) throws(Failure) {
    for (index, run) in runs.enumerated() {
        if let twin = runs[..<index].first(where: { $0.isRepeated(by: run) }) {
            throw Failure(
                .data, "\(run.source) repeats \(twin.source): the same sizes and the same loss",
                advice:
                    "a run that counts twice narrows every interval; take one out (repeats with another seed may stay: "
                    + "their losses differ)")
        }
    }
}

private func differ(_ values: Set<Double>, _ what: String, _ cure: String, _ law: LawMetadata) throws(Failure) {
    guard values.count < 2 else { return }
    throw Failure(
        .data, "all runs have the same \(what), and the law `\(law.name)` is about what changes with it",
        advice: "add runs of \(cure)")
}
