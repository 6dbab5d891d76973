import Collectives
import RankChecks
import Testing

/// The bodies that `rank-checks` runs under mpirun, here on virtual ranks.
@Suite(.serialized) struct LayoutTests {
    @Test(arguments: layoutCheckList.map(\.name), [1, 2, 3, 4])
    func body(name: String, ranks: Int) throws {
        let check = try #require(layoutCheckList.first { $0.name == name })
        _ = try VirtualRanks.run(ranks) { try check.run(on: $0) }
    }
}
