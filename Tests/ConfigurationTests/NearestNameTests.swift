import Diagnostics
import Testing

@Suite struct NearestNameTests {
    private let names = ["d_model", "layers", "heads", "context", "top_k", "seed"]

    @Test(arguments: [
        ("d_modle", "d_model"), ("layer", "layers"), ("Layers", "layers"), ("haeds", "heads"), ("contxt", "context"),
        ("topk", "top_k"), ("sed", "seed"), ("seed", "seed"), ("lyaesr", "layers"),
    ])
    func misspellingsAreUnderstood(_ word: String, _ name: String) {
        #expect(nearestName(to: word, among: names) == name)
    }

    @Test(arguments: ["", "x", "xyz", "temperature", "zzzzzzzzzzzzzzzzzzzzz"])
    func whatIsMostlyWrongMeansNothing(_ word: String) {
        #expect(nearestName(to: word, among: ["d_model", "layers", "ab", "context"]) == nil)
    }

    @Test func withoutCandidatesThereIsNoAnswerAndTiesGoToTheFirstInTheAlphabet() {
        #expect(nearestName(to: "word", among: [String]()) == nil)
        #expect(nearestName(to: "word", among: ["wordz", "wordb", "wordc"]) == "wordb")
    }

    @Test func everyStatusHasACodeOfItsOwnAndAdviceALine() {
        #expect(Set(ExitStatus.allCases.map(\.rawValue)).count == ExitStatus.allCases.count)
        #expect(Failure(.data, "a", advice: "b").description == "a\n  b" && Failure(.data, "a").description == "a")
    }
}
