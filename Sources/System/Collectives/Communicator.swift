package import Tensors

/// A fixed group of ranks that exchange numbers: MPI's communicator, or several virtual ranks in one process.
///
/// Every method is **collective**: all ranks of the group call it, in the same order, with
/// the same element type and matching counts. A method throws on every rank that is left when the group is broken.
package protocol Communicator: Sendable {
    var rank: Int { get }
    var size: Int { get }
    /// Whether threads may communicate at the same time, each through communicators of its own.
    var supportsThreads: Bool { get }

    /// Returns when every rank has called it.
    func barrier() throws(CommunicationError)

    /// `values[i] ← Σ over ranks of values[i]`, on every rank. The order of addition is the implementation's own: exact
    /// for integers, and for floats where at most one rank's addend differs from zero.
    func allReduceSum<Element: Exchangeable>(_ values: Vector<Element>) throws(CommunicationError)

    /// `values[i] ← Σ over ranks of values[i]` for the elements that are this rank's own: the first `counts[0]` are those of
    /// rank 0, the next `counts[1]` those of rank 1, and so on, together all. The others' stay what they were. Added in rank
    /// order.
    func reduceScatter<Element: Exchangeable>(_ values: Vector<Element>, counts: [Int]) throws(CommunicationError)

    /// Gives every rank the elements that are the others' own, counted as in `reduceScatter`.
    func allGather<Element: Exchangeable>(_ values: Vector<Element>, counts: [Int]) throws(CommunicationError)

    /// `values[i] ← max over ranks of values[i]`, on every rank.
    func allReduceMaximum<Element: Exchangeable>(_ values: Vector<Element>) throws(CommunicationError)

    /// `received[r·n ..< (r+1)·n]` on rank q is `sent[q·n ..< (q+1)·n]` of rank r, for blocks of `n` elements.
    func allToAll<Element: Exchangeable>(
        _ sent: Vector<Element>, into received: Vector<Element>, block n: Int
    ) throws(CommunicationError)

    /// Rows to every rank: the first `sentRows[0]` rows go to rank 0, the next `sentRows[1]` to rank 1, and so on;
    /// `received` holds the arriving rows in rank order. Counts are rows, so 2^31 limits rows and not elements.
    /// - Parameters:
    ///   - sent, received: contiguous, of the same number of columns on all ranks
    ///   - sentRows, receivedRows: `[size]`
    func allToAllRows<Element: MatrixElement>(
        _ sent: Matrix<Element>, counts sentRows: Vector<Int32>, into received: Matrix<Element>,
        counts receivedRows: Vector<Int32>
    ) throws(CommunicationError)

    /// The bytes of every rank, of any length each, in rank order.
    func allGather(_ bytes: [UInt8]) throws(CommunicationError) -> [[UInt8]]

    /// The ranks of equal `color` as a group of their own, ordered by rank.
    func split(color: Int) throws(CommunicationError) -> any Communicator

    /// The same ranks as a group of their own, for one more thread of each rank (`supportsThreads`). Its `barrier`, `exchange`,
    /// `allToAllRows`, `reduceScatter` and `allGather` wait with `waitPolicy`.
    func duplicate(waiting waitPolicy: any WaitPolicy) throws(CommunicationError) -> any Communicator
}

/// How a thread waits for other ranks while other threads of its own rank go on.
package protocol WaitPolicy: Sendable {
    /// Microseconds between two looks at whether the others have come, in which the processor is left to a thread that
    /// computes; nil if none does.
    var pollInterval: UInt32? { get }
    /// Whether another thread has failed, so that the wait is in vain and ends with an error.
    var isCancelled: Bool { get }
}

/// Of a thread beside those that compute, which nobody waits for yet.
package struct BackgroundWaitPolicy: WaitPolicy {
    /// Short beside a message of a megabyte, long beside a look.
    package let pollInterval: UInt32? = 50
    package let isCancelled = false

    package init() {}
}

extension CommunicationError {
    /// Of a wait that was in vain.
    package init(cancelled call: String) { self.init(call: call, reason: "the rank's other micro-batch has failed") }
}

/// Numbers that travel: MPI knows their type.
package protocol Exchangeable: BitwiseCopyable, Comparable, AdditiveArithmetic, Sendable {
    static var kind: ExchangeKind { get }
    /// The sum; integers wrap around as two's complement does.
    static func wrappingSum(_ a: Self, _ b: Self) -> Self
}

package enum ExchangeKind: Sendable { case float, double, int32, int64, uint64 }

extension Float: Exchangeable {
    package static var kind: ExchangeKind { .float }
    package static func wrappingSum(_ a: Float, _ b: Float) -> Float { a + b }
}

extension Double: Exchangeable {
    package static var kind: ExchangeKind { .double }
    package static func wrappingSum(_ a: Double, _ b: Double) -> Double { a + b }
}

extension Int32: Exchangeable {
    package static var kind: ExchangeKind { .int32 }
    package static func wrappingSum(_ a: Int32, _ b: Int32) -> Int32 { a &+ b }
}

/// Whoever sums fixed point sends an overflow flag beside it.
extension Int64: Exchangeable {
    package static var kind: ExchangeKind { .int64 }
    package static func wrappingSum(_ a: Int64, _ b: Int64) -> Int64 { a &+ b }
}

extension UInt64: Exchangeable {
    package static var kind: ExchangeKind { .uint64 }
    package static func wrappingSum(_ a: UInt64, _ b: UInt64) -> UInt64 { a &+ b }
}

/// Ranks can no longer exchange: the library reports an error, or another rank has given up.
package struct CommunicationError: Error, Sendable, CustomStringConvertible {
    /// The call that failed, for example `MPI_Alltoallv`.
    package var call: String
    package var reason: String

    package init(call: String, reason: String) {
        self.call = call
        self.reason = reason
    }

    package var description: String { "\(call) failed: \(reason)" }
}

extension Communicator {
    /// The sum of one number over all ranks. **Collective**.
    package func sum(of value: Double) throws(CommunicationError) -> Double {
        let vector = Vector<Double>(count: 1)
        vector[0] = value
        try allReduceSum(vector)
        return vector[0]
    }

    /// The largest of one number over all ranks. **Collective**.
    package func maximum(of value: Double) throws(CommunicationError) -> Double {
        let vector = Vector<Double>(count: 1)
        vector[0] = value
        try allReduceMaximum(vector)
        return vector[0]
    }
}
