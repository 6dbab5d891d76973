/// What laws or an analysis read of a run: which columns must be there.
package struct RunNeeds: Sendable {
    /// By which messages name the reader.
    let readers: [String]
    var variables: Set<LawMetadata.Axis> = []
    /// What they call N; empty where none has an N.
    var sizes: Set<SizeMeasure> = []
    /// Columns that must be there besides.
    var columns: [String] = []
    var observables: Set<LawMetadata.Observable> = [.loss]
    /// Tokens of runs that need not say theirs.
    var fixedTokens: Double?

    /// A reader that shows whatever a run says.
    package static var anything: RunNeeds { RunNeeds("report") }

    /// - Parameter reader: its name on the command line
    init(_ reader: String) { readers = [reader] }

    /// What all of `laws` read.
    package init(_ laws: [LawMetadata]) {
        readers = laws.map(\.name)
        variables = laws.reduce(into: []) { $0.formUnion($1.variables) }
        sizes = Set(laws.compactMap(\.size))
        observables = Set(laws.map(\.observes))
        fixedTokens = laws.compactMap(\.fixedTokens).first
    }
}
