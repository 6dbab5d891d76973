import Configuration
import Data
import Diagnostics
import Testing

@Suite struct SplitTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func lines(_ documents: [String]) throws -> String {
        try folder.write(documents.map { "{\"text\": \"\($0)\"}\n" }.joined(), to: "a.jsonl")
    }

    private func documents(_ dataset: TokenDataset) -> [String] {
        dataset.array.split(separator: 256).map { String(decoding: $0.map { UInt8($0) }, as: UTF8.self) }
    }

    @Test func theHashSplitIsByContentAlone() throws {
        let all = (0..<1000).map { "document \($0)" }
        let first = try corpus([lines(all)], validation: .hash(fraction: 0.1), in: folder)
        let held = try #require(first.validation.first)
        #expect(Set(documents(first.train[0])).isDisjoint(with: documents(held)))
        #expect(Set(documents(first.train[0]) + documents(held)) == Set(all))
        #expect(first.train[0].count + held.count == first.train[0].file.tokenCount)
        #expect((60...140).contains(documents(held).count))
        // Another order, another file, each document twice: the same documents are held back.
        let second = try corpus([lines(all.reversed() + all)], validation: .hash(fraction: 0.1), in: folder)
        #expect(documents(second.validation[0]).sorted() == (documents(held) + documents(held)).sorted())
        // A larger share holds back more of the same.
        let third = try corpus([lines(all)], validation: .hash(fraction: 0.5), in: folder)
        #expect(Set(documents(third.validation[0])).isSuperset(of: documents(held)))
        #expect((420...580).contains(documents(third.validation[0]).count))
    }

    @Test("of few documents at least one is held out and one is not, always the same", arguments: [0.001, 0.1, 0.999])
    func fewDocuments(share: Double) throws {
        for seed in 0..<40 {
            let all = (0..<2 + seed % 5).map { "text \(seed) \($0)" }
            let found = try corpus([lines(all + all)], validation: .hash(fraction: share), in: folder)
            let held = try documents(#require(found.validation.first)), kept = documents(found.train[0])
            #expect(!held.isEmpty && !kept.isEmpty && Set(held).isDisjoint(with: kept))
            #expect(Set(held).count == 1 || share > 0.05)
            let again = try corpus([lines(all.reversed())], validation: .hash(fraction: share), in: folder)
            #expect(try Set(documents(#require(again.validation.first))) == Set(held))
        }
    }

    @Test func theTailIsTheLastTokens() throws {
        let corpus = try corpus(
            [folder.write("0123456789012345678", to: "a.txt")], validation: .tail(share: 0.25), in: folder)
        #expect(corpus.train[0].array == Array("012345678901234".utf8).map(Int.init))
        #expect(corpus.validation.first?.array == Array("5678".utf8).map(Int.init) + [256])
    }

    @Test func emptySidesAreRefused() throws {
        let one = try folder.write("one document", to: "a.txt")
        let hash = failure { _ = try corpus([one], validation: .hash(fraction: 0.5), in: folder) }
        #expect(hash?.status == .data && hash?.message.contains("it is one document") == true)
        let copies = try lines(["the same", "the same", "the same"])
        let alike = failure { _ = try corpus([copies], validation: .hash(fraction: 0.5), in: folder) }
        #expect(alike?.message.contains("its documents are all alike") == true)
        let tail = failure { _ = try corpus([one], validation: .tail(share: 0.01), in: folder) }
        #expect(tail?.status == .data && tail?.message.contains("0 of 13 tokens") == true)
    }

    @Test func copiesRunAcrossSegments() throws {
        let documents = (0..<300).map { String(repeating: "\($0)", count: 1 + $0 % 4) }
        let dataset = try corpus([lines(documents)], validation: .hash(fraction: 0.5), in: folder).train[0]
        let tokens = dataset.array.map { Int32($0) }
        #expect(dataset.segments.count > 20 && tokens.count == dataset.count)
        #expect(zip(dataset.segments, dataset.segments.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
        var random = TestRandom(3)
        for _ in 0..<200 {
            let start = Int.random(in: 0..<tokens.count, using: &random)
            let end = Int.random(in: start...tokens.count, using: &random)
            #expect(copy(dataset, start..<end) == Array(tokens[start..<end]))
        }
    }

    private func copy(_ dataset: TokenDataset, _ range: Range<Int>) -> [Int32] {
        var copy = [Int32](repeating: -1, count: range.count)
        var span = copy.mutableSpan
        dataset.copy(from: range.lowerBound, into: &span)
        return copy
    }
}
