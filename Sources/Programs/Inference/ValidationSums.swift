import Collectives
import Model
import Tensors

/// What the micro-batches of a validation add up to, in the order of micro-batches, so that the layout does not show.
struct ValidationSums {
    private let sources: Int
    private let fields: Int
    /// `[microBatches, fields]`: sum of losses, tokens, bytes, then per source, if there are several, tokens, sum of losses.
    private let table: Vector<Double>

    init(microBatches: Int, sources: Int) {
        self.sources = sources
        fields = 3 + (sources > 1 ? 2 * sources : 0)
        table = Vector(count: microBatches * fields)
    }

    /// - Parameter bytes: that the targets stand for
    func record(_ statistics: MicroBatchStatistics, bytes: Int, microBatch: Int) {
        let row = table[microBatch * fields..<(microBatch + 1) * fields]
        (row[0], row[1], row[2]) = (statistics.crossEntropy, Double(statistics.tokens), Double(bytes))
    }

    /// The losses of one sequence of a micro-batch, where there are several sources.
    func record(_ losses: Vector<Float>, ofSource source: Int, microBatch: Int) {
        let start = microBatch * fields + 3 + 2 * source
        table[start] += Double(losses.count)
        table[start + 1] += (0..<losses.count).reduce(0) { $0 + Double(losses[$1]) }
    }

    /// Every micro-batch was entered by one rank: adding the others' zeros is exact. **Collective**.
    func result(over world: any Communicator) throws(CommunicationError) -> ValidationResult {
        try world.allReduceSum(table)
        var sums = [Double](repeating: 0, count: fields)
        for i in 0..<table.count { sums[i % fields] += table[i] }
        let bySource = stride(from: 3, to: fields, by: 2).map { sums[$0] > 0 ? sums[$0 + 1] / sums[$0] : nil }
        return ValidationResult(
            tokens: Int(sums[1]), loss: sums[0] / sums[1], bitsPerByte: sums[0] / sums[2] / 0.693_147_180_559_945_3,
            lossBySource: bySource)
    }
}
