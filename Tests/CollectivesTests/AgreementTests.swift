import Collectives
import Diagnostics
import Testing

@Suite(.timeLimit(.minutes(60))) struct AgreementTests {
    private func runOnAllRanks(_ ranks: Int, failing: Set<Int>, alike: Bool) throws -> [Failure?] {
        try VirtualRanks.run(ranks) { world in
            do throws(Failure) {
                let answer = try Agreement(ranks: world).onAllRanks { () throws(Failure) in
                    guard failing.contains(world.rank) else { return world.rank }
                    throw Failure(.data, alike ? "bad file" : "bad file \(world.rank)", advice: "look at it")
                }
                #expect(answer == world.rank)
                return nil
            } catch {
                return error
            }
        }
    }

    @Test(arguments: 1...4) func everyRankGetsItsAnswerOrTheSameFailure(ranks: Int) throws {
        #expect(try runOnAllRanks(ranks, failing: [], alike: true).allSatisfy { $0 == nil })
        for first in 0..<ranks {
            let failures = try runOnAllRanks(ranks, failing: [first, ranks - 1], alike: false)
            for failure in failures {
                #expect(failure?.status == .data)
                #expect(failure?.advice == "look at it")
                #expect(failure?.message == (ranks == 1 ? "bad file 0" : "rank \(first): bad file \(first)"))
            }
        }
        let all = try runOnAllRanks(ranks, failing: Set(0..<ranks), alike: true)
        #expect(all.allSatisfy { $0?.message == "bad file" }, "what all found alike needs no rank's name")
    }
}
