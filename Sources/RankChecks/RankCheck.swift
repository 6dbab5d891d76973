package import Collectives

/// A named body that all ranks of a group run together: under mpirun by `rank-checks`, on virtual ranks by `swift test`.
package struct RankCheck: Sendable {
    package var name: String
    package var body: @Sendable (any Communicator) throws -> Void

    package init(_ name: String, _ body: @escaping @Sendable (any Communicator) throws -> Void) {
        self.name = name
        self.body = body
    }
}
