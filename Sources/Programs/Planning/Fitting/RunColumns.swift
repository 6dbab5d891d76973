import Diagnostics

/// The numbers of one run by column name, before it is known which a law needs.
struct RunColumns {
    /// Columns that a run table may have; other columns are left alone.
    static let names = [
        "n_active", "n_total", "n_embedding", "tokens", "flops", "experts", "granularity", "top_k", "loss",
        "leverage", "shared_ratio", "vocabulary_size", "context", "learning_rate", "batch_tokens",
    ]
    /// Counts of things that are not divided.
    private static let whole: Set = ["experts", "granularity", "top_k", "vocabulary_size", "context"]

    /// Above what guessing has with any vocabulary, by far.
    private static let largestLoss = 1000.0

    let source: String
    var values: [String: Double] = [:]

    /// The run as `laws` need it. What is one for dense models may be left out; N_act and N_total stand for each other
    /// where there is one expert.
    ///
    /// - Throws: a `Failure` that names the place, the column and what is wrong with it
    func record(for needs: RunNeeds) throws(Failure) -> RunMeasurement {
        for axis in LawMetadata.Axis.allCases where needs.variables.contains(axis) && values[axis.rawValue] == nil {
            if [.topK, .sharedRatio].contains(axis) { continue }  // one and none, unless said otherwise
            throw missing(axis.rawValue, needs)
        }
        for column in needs.columns where values[column] == nil { throw missing(column, needs) }
        let experts = values["experts"] ?? 1
        let dense = experts == 1
        let active = values["n_active"] ?? (dense ? values["n_total"] : nil)
        let total = values["n_total"] ?? (dense ? values["n_active"] : nil)
        if needs.sizes.contains(where: { $0.isActive }), active == nil { throw missing("n_active", needs) }
        if needs.sizes.contains(where: { $0 != .active }), total == nil { throw missing("n_total", needs) }
        guard let observable = needs.observables.first, needs.observables.count == 1 else {
            throw Failure(.usage, "laws for the loss and laws for the leverage cannot be compared")
        }
        guard let loss = values[observable.rawValue] else { throw missing(observable.rawValue, needs) }
        guard let size = active ?? total ?? (needs.sizes.isEmpty ? 1 : nil) else { throw missing("n_active", needs) }
        // The leverage study's granularity, 2·d_model/d_expert, need not be whole.
        let mayDivide: Set<String> = observable == .leverage ? ["granularity"] : []
        try checkRanges(active: size, total: total ?? size, whole: Self.whole.subtracting(mayDivide))
        return RunMeasurement(
            source: source,
            point: ScalePoint(
                active: size, total: total ?? size, embedding: values["n_embedding"] ?? 0,
                tokens: values["tokens"] ?? needs.fixedTokens ?? 0, experts: experts,
                granularity: values["granularity"] ?? 1, topK: values["top_k"] ?? 1,
                sharedRatio: values["shared_ratio"] ?? 0, flops: values["flops"]),
            loss: loss, vocabularySize: values["vocabulary_size"], context: values["context"],
            countedFLOPs: values["flops"], learningRate: values["learning_rate"], batchTokens: values["batch_tokens"])
    }

    private func missing(_ column: String, _ needs: RunNeeds) -> Failure {
        Failure(
            .data, "\(source): no `\(column)`, which the law `\(needs.readers.joined(separator: "`, `"))` needs",
            advice: "a run has the columns \(Self.names.joined(separator: ", "))")
    }

    private func checkRanges(active: Double, total: Double, whole: Set<String>) throws(Failure) {
        for name in Self.names {
            guard let value = values[name] else { continue }
            let lowest = Self.whole.contains(name) ? 1.0 : 0
            let mayBeZero = ["n_embedding", "shared_ratio"].contains(name)
            let fits = mayBeZero ? value >= 0 : value > 0 && value >= lowest
            guard fits, value.isFinite else {
                let allowed = lowest == 1 ? "from 1 on" : mayBeZero ? "from 0 on" : "above zero"
                throw Failure(
                    .data, "\(source): `\(name)` is \(value); it must be a number \(allowed)",
                    advice: name == "loss" ? "take out runs that diverged before fitting" : nil)
            }
            guard name != "loss" || value <= Self.largestLoss else {
                throw Failure(
                    .data, "\(source): `loss` is \(value); nats per token are at most \(Self.largestLoss)",
                    advice: "take out runs that diverged before fitting; guessing one of V tokens has a loss of ln V")
            }
            guard !whole.contains(name) || value == value.rounded() else {
                throw Failure(
                    .data, "\(source): `\(name)` is \(value); it must be a whole number",
                    advice: name == "experts"
                        ? "count experts in units of one dense feed-forward; `granularity` says how finely they are cut"
                        : nil)
            }
        }
        if let ratio = values["shared_ratio"], ratio >= 1 {
            throw Failure(
                .data, "\(source): shared_ratio \(ratio) leaves no expert to the router",
                advice: "give the ratio of shared experts among those that work on a token, from 0 to below 1")
        }
        guard active <= total * (1 + 1e-9) else {
            throw Failure(.data, "\(source): n_active \(active) is more than n_total \(total)")
        }
        if let embedding = values["n_embedding"], embedding >= active {
            throw Failure(.data, "\(source): n_embedding \(embedding) leaves nothing of n_active \(active)")
        }
        if let k = values["top_k"], k > values["experts"] ?? 1 {
            throw Failure(.data, "\(source): top_k \(k) is more than experts \(values["experts"] ?? 1)")
        }
    }
}
