package import Collectives

/// What a check body found wrong on this rank. Findings are collected and thrown only at the end, together, so that a
/// rank with a wrong answer still takes part in every collective the others wait in.
package final class Expectations {
    private let communicator: any Communicator
    private var complaints: [String] = []

    package init(_ communicator: any Communicator) { self.communicator = communicator }

    package func expect(_ holds: Bool, _ complaint: @autoclosure () -> String) {
        if !holds { complaints.append(complaint()) }
    }

    package func expectEqual<Value: Equatable>(_ found: Value, _ expected: Value, _ what: @autoclosure () -> String) {
        if found != expected { complaints.append("\(what()): found \(found), expected \(expected)") }
    }

    /// Throws on every rank alike if any rank complained. Collective.
    package func requireOnAllRanks() throws {
        let all = try communicator.allGather(Array(complaints.joined(separator: "; ").utf8))
        let lines = all.enumerated().filter { !$0.element.isEmpty }.map {
            "rank \($0.offset): \(String(decoding: $0.element, as: UTF8.self))"
        }
        if !lines.isEmpty { throw CheckFailure(complaints: lines) }
    }
}

package struct CheckFailure: Error, CustomStringConvertible {
    package var complaints: [String]
    package var description: String { complaints.joined(separator: "\n    ") }
}
