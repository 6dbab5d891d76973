import RunFormat

/// Assignments to every expert in some records in a row.
package struct ExpertLoadPoint: ThinnedPoint {
    /// At the last of the steps.
    private(set) var tokens: Int
    /// By layer and expert.
    private(set) var counts: [[Double]]

    /// Nil of a record that does not have them, or impossible ones.
    init?(_ record: StepRecord) {
        guard let loads = record.expertLoad, !loads.isEmpty, loads.joined().allSatisfy({ $0 >= 0 }) else { return nil }
        tokens = record.tokens
        counts = loads.map { $0.map(Double.init) }
    }

    /// Over the mean of the layer; 0 where there were no assignments.
    var relativeLoads: [[Double]] { counts.map { RunFormat.relativeLoads($0) } }

    /// The same of one layer; empty if the model does not have it.
    func relativeLoads(ofLayer layer: Int) -> [Double] {
        layer < counts.count ? RunFormat.relativeLoads(counts[layer]) : []
    }

    /// Adds the records of steps that follow; a model that has become another begins anew.
    package mutating func add(_ next: ExpertLoadPoint) {
        let isSame = counts.map(\.count) == next.counts.map(\.count)
        counts = isSame ? zip(counts, next.counts).map { zip($0, $1).map(+) } : next.counts
        tokens = next.tokens
    }
}
