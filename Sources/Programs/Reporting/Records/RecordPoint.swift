import Charts
import RunFormat

/// The mean of some values, and the range in which they lie.
package struct ValueRange: Sendable {
    package private(set) var count = 0
    package private(set) var low = Double.infinity, high = -Double.infinity
    private var sum = 0.0

    /// Nil of no values.
    package var mean: Double? { count > 0 ? sum / Double(count) : nil }

    mutating func add(_ value: Double) {
        count += 1
        sum += value
        (low, high) = (min(low, value), max(high, value))
    }

    mutating func add(_ other: ValueRange) {
        count += other.count
        sum += other.sum
        (low, high) = (min(low, other.low), max(high, other.high))
    }
}

/// The records of some steps in a row, as one point of a curve.
package struct RecordPoint: ThinnedPoint {
    package private(set) var steps: ClosedRange<Int>
    /// At the last of the steps.
    private(set) var tokens: Int
    /// Training time up to the last of the steps.
    private(set) var hours: Double
    private var values = [ValueRange](repeating: ValueRange(), count: RecordQuantity.allCases.count)
    private(set) var imbalanceByLayer: [ValueRange] = []
    private(set) var droppedByLayer: [ValueRange] = []
    private(set) var lossBySource: [ValueRange] = []

    /// - Parameter hours: training time up to this step
    init(_ record: StepRecord, hours: Double) {
        steps = record.step...record.step
        tokens = record.tokens
        self.hours = hours
        for quantity in RecordQuantity.allCases {
            if let value = quantity.value(in: record) { values[quantity.rawValue].add(value) }
        }
        imbalanceByLayer = record.loadImbalanceByLayer.map(ValueRange.init(drawable:))
        droppedByLayer = record.droppedRatioByLayer.map { ValueRange(drawable: 100 * $0) }
        lossBySource = (record.lossBySource ?? []).map(ValueRange.init(drawable:))
    }

    package subscript(quantity: RecordQuantity) -> ValueRange { values[quantity.rawValue] }

    /// Training time of a step; nil where the records do not say.
    var stepSeconds: Double? {
        let parts = [RecordQuantity.computeSeconds, .exchangeSeconds, .reductionSeconds, .waitingSeconds]
        let means = parts.compactMap { self[$0].mean }
        return means.isEmpty ? nil : means.reduce(0, +)
    }

    /// Adds the records of steps that follow.
    package mutating func add(_ next: RecordPoint) {
        steps = min(steps.lowerBound, next.steps.lowerBound)...max(steps.upperBound, next.steps.upperBound)
        (tokens, hours) = (next.tokens, next.hours)
        for index in values.indices { values[index].add(next.values[index]) }
        Self.add(next.imbalanceByLayer, to: &imbalanceByLayer)
        Self.add(next.droppedByLayer, to: &droppedByLayer)
        Self.add(next.lossBySource, to: &lossBySource)
    }

    private static func add(_ next: [ValueRange], to values: inout [ValueRange]) {
        for (index, value) in next.enumerated() {
            if index < values.count { values[index].add(value) } else { values.append(value) }
        }
    }
}

extension ValueRange {
    fileprivate init(drawable value: Double?) {
        if let value, value.isDrawable { add(value) }
    }
}
