import Platform

/// One choice of (E, G, K) under the limits of a request: a model is then its d alone.
struct Candidate: Sendable {
    let law: any ScalingLaw
    let counting: Counting
    let request: PlanRequest
    let experts, granularity, topK: Double
    /// Whether `law` is the dense law that stands beside an MoE law.
    var isDenseTwin = false

    /// A limit that holds the optimum back.
    enum Limit: String, Sendable, Codable {
        case compute, memory
        case total = "total parameters"
        case tokens
        case ratio = "tokens per parameter"
    }

    func shape(_ dModel: Double) -> Architecture {
        Architecture(
            dModel: dModel, experts: experts, granularity: granularity, topK: topK,
            vocabularySize: request.vocabularySize)
    }

    /// `D` from `F = D·F_train + D_inf·F_infer`, cut by the limits on tokens; which one cut it. Zero or less: not affordable.
    func tokens(_ shape: Architecture) -> (count: Double, limit: Limit) {
        var best = (count: Double.infinity, limit: Limit.compute)
        if let flops {
            let left = flops - request.inferenceTokens * budgetPerToken(shape) / 3
            best.count = left / budgetPerToken(shape)
        }
        if let most = request.maximumTokens, most < best.count { best = (most, .tokens) }
        if let ratio = request.maximumTokensPerParameter {
            let most = ratio * counting.point(shape, tokens: 1).active
            if most < best.count { best = (most, .ratio) }
        }
        if let tokens = type(of: law).metadata.fixedTokens {
            return best.count >= tokens ? (tokens, .compute) : (0, .compute)
        }
        return best
    }

    /// What the budget is worth at this granularity's rate.
    var flops: Double? { request.flops.map { $0 * (request.relativeRates[granularity] ?? 1) } }

    /// What a training token takes of `flops`.
    private func budgetPerToken(_ shape: Architecture) -> Double {
        request.countsLikeTrainer
            ? counting.trainerFLOPsPerToken(shape, context: request.context) : counting.trainingFLOPsPerToken(shape)
    }

    /// Whether memory and the limit on parameters allow the shape; the limit that does not.
    func obstacle(_ shape: Architecture) -> Limit? {
        if let memory = request.memory, memory.bytes(for: shape, counting) > memory.bytes { return .memory }
        if let most = request.maximumTotal, counting.point(shape, tokens: 1).total > most { return .total }
        return nil
    }

    func point(_ dModel: Double) -> ScalePoint? {
        let shape = shape(dModel), tokens = tokens(shape).count
        return tokens > 0 ? counting.point(shape, tokens: tokens) : nil
    }

    /// Loss of the best training that the limits allow a model of width d; infinite if there is none.
    func loss(_ dModel: Double) -> Double {
        guard let point = point(dModel) else { return .infinity }
        let loss = law.loss(at: point)
        return loss.isFinite ? loss : .infinity
    }

    /// The d of lowest loss among real numbers from `smallest` on; nil if not even that fits.
    ///
    /// Parameters grow with d, so memory is an upper end; inside, the loss has one valley.
    func optimum(from smallest: Double = 64, to largest: Double = 262_144) -> Double? {
        guard obstacle(shape(smallest)) == nil else { return nil }
        let end = largestFit(from: smallest, to: largest)
        let best = goldenSectionMinimum(log(smallest), log(end)) { loss(exp($0)) }
        return best.value.isFinite ? exp(best.place) : nil
    }

    private func largestFit(from smallest: Double, to largest: Double) -> Double {
        guard obstacle(shape(largest)) != nil else { return largest }
        var (fits, not) = (smallest, largest)
        for _ in 0..<60 {
            let middle = (fits + not) / 2
            if obstacle(shape(middle)) == nil { fits = middle } else { not = middle }
        }
        return fits
    }
}

/// The lowest point of a function with one valley (and perhaps infinite walls) in `[low, high]`: a coarse look, then
/// golden sections.
func goldenSectionMinimum(_ low: Double, _ high: Double, _ f: (Double) -> Double) -> (place: Double, value: Double) {
    let cells = 64, width = (high - low) / Double(cells)
    let values = (0...cells).map { f(low + Double($0) * width) }
    let best = values.indices.min { values[$0] < values[$1] } ?? 0
    guard values[best].isFinite, width > 0 else { return (low, values[0]) }
    var left = low + Double(max(best - 1, 0)) * width, right = low + Double(min(best + 1, cells)) * width
    let golden = 0.618_033_988_749_894_9
    var a = right - golden * (right - left), b = left + golden * (right - left)
    var (fa, fb) = (f(a), f(b))
    for _ in 0..<60 {
        if fa <= fb {
            (right, b, fb) = (b, a, fa)
            a = right - golden * (right - left)
            fa = f(a)
        } else {
            (left, a, fa) = (a, b, fb)
            b = left + golden * (right - left)
            fb = f(b)
        }
    }
    // The ends themselves: a limit is met exactly, not up to the width of a section.
    let ends = [(left, f(left)), (right, f(right)), ((left + right) / 2, f((left + right) / 2))]
    return ends.min { $0.1 < $1.1 } ?? ends[0]
}
