package import Collectives

/// A named body that all ranks of a group run together: under mpirun by `rank-checks`, on virtual ranks by `swift test`.
package struct RankCheck: Sendable {
    package typealias Body = @Sendable (any Communicator, Expectations) throws -> Void

    package let name: String
    private let body: Body

    package init(_ name: String, _ body: @escaping Body) {
        self.name = name
        self.body = body
    }

    /// **Collective**.
    /// - Throws: what any rank found wrong, on all ranks alike
    package func run(on world: any Communicator) throws {
        let found = Expectations(world)
        try body(world, found)
        try found.requireOnAllRanks()
    }
}
