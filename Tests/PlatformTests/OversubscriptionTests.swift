import Platform
import Testing

struct OversubscriptionTests {
    private func place(_ host: String, _ process: Int32, _ processors: [Int], threads: Int = 1) -> RankBinding {
        RankBinding(host: host, process: process, processors: processors, threads: threads)
    }

    @Test func ranksWithProcessorsOfTheirOwnAreNoCrowd() {
        #expect(oversubscriptions([place("a", 1, [0]), place("a", 2, [1]), place("b", 1, [0])]).isEmpty)
        #expect(oversubscriptions([place("a", 1, [0, 1], threads: 2)]).isEmpty)
    }

    @Test func oneRankWithMoreThreadsThanProcessors() {
        #expect(
            oversubscriptions([place("a", 1, [3], threads: 2)])
                == [Oversubscription(host: "a", ranks: [0], threads: 2, processors: [3])])
    }

    @Test func ranksOnOneProcessorAreOneCrowd() {
        let found = oversubscriptions([place("a", 1, [3]), place("a", 2, [4]), place("a", 3, [3]), place("b", 4, [3])])
        #expect(found == [Oversubscription(host: "a", ranks: [0, 2], threads: 2, processors: [3])])
        #expect(found[0].description == "ranks 0, 2 on a: 2 threads on processor 3")
    }

    /// 0 and 2 have nothing in common, but each shares with 1.
    @Test func overlapsReachThroughOthers() {
        let found = oversubscriptions([
            place("a", 1, [0, 1], threads: 2), place("a", 2, [1, 2], threads: 2), place("a", 3, [2, 3], threads: 1),
        ])
        #expect(found == [Oversubscription(host: "a", ranks: [0, 1, 2], threads: 5, processors: [0, 1, 2, 3])])
        #expect(found[0].description == "ranks 0, 1, 2 on a: 5 threads on 4 processors")
    }

    @Test func unboundRanksShareTheMachine() {
        #expect(oversubscriptions([place("a", 1, [0, 1]), place("a", 2, [0, 1])]).isEmpty)
        #expect(oversubscriptions([place("a", 1, [0, 1]), place("a", 2, [0, 1]), place("a", 3, [0, 1])]).count == 1)
    }

    @Test func virtualRanksAndSilentSystemsDoNotCount() {
        #expect(oversubscriptions([place("a", 1, [0]), place("a", 1, [0])]).isEmpty)
        #expect(oversubscriptions([place("a", 1, [], threads: 8)]).isEmpty)
    }
}
