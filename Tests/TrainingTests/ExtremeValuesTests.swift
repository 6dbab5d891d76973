import Collectives
import Configuration
import Diagnostics
import Foundation
import Parallelism
import Testing
import Training

/// Numbers that no run has: refused with a message, or accepted and counted with, but never a trap, which would end the
/// tests themselves.
struct ExtremeValuesTests {
    static let extremes = [
        "0", "-1", "1", "3", "65535", "65536", "1048576", "2147483648", "1099511627776", "4611686018427387904",
        "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e308", "1e-308", "1e400", "nan", ".nan",
        "inf", ".inf", "-.inf",
    ]

    /// Of keys that take numbers.
    static let keys = DocumentationTests.keys.filter { $0.allowed.contains("number") }.map(\.name)

    /// What `train --check` counts, for some numbers of ranks.
    static func count(_ settings: [String: String]) throws(Failure) {
        let overrides = settings.map { "\($0.key)=\($0.value)" }.sorted()
        let document = try ConfigurationDocument(yaml: "", file: "test", overrides: overrides)
        let configuration = try RunConfiguration(document).resolved(tokenizer: 257)
        for ranks in [1, 2, 7] {
            let estimate = MemoryEstimate(configuration, try JobLayout(configuration, ranks: ranks))
            guard estimate.rows.allSatisfy({ $0.bytes >= 0 }), estimate.total > 0 else {
                throw Failure(.software, "\(settings): bytes are negative")
            }
            let refusal = alone { world throws(Failure) in try requireMemory(estimate, on: world) }
            if let refusal, refusal.status != .unavailable { throw refusal }
        }
    }

    /// What `body` throws on one rank.
    static func alone(_ body: @escaping @Sendable (any Communicator) throws(Failure) -> Void) -> Failure? {
        do {
            _ = try VirtualRanks.run(1, body)
            return nil
        } catch {
            return error as? Failure ?? Failure(.software, "\(error)")
        }
    }

    /// - Returns: nil if the settings were accepted
    static func refusal(_ changes: [String: String]) -> Failure? {
        var settings = DocumentationTests.smallest.merging(changes) { $1 }
        if changes["train.tokens"] != nil { settings["train.steps"] = nil }
        do throws(Failure) {
            try count(settings)
            return nil
        } catch {
            return error
        }
    }

    @Test func thePageHasNumericKeys() { #expect(Self.keys.count > 25) }

    @Test(arguments: keys) func oneExtremeValueIsRefusedOrCounted(key: String) {
        for value in Self.extremes {
            guard let failure = Self.refusal([key: value]) else { continue }
            #expect(failure.status == .configuration, "\(key)=\(value): \(failure)")
        }
    }

    @Test(arguments: keys) func twoExtremeValuesAreRefusedOrCounted(key: String) {
        let values = ["1", "1024", "65536", "2147483648", "1099511627776", "4611686018427387904", "1e308"]
        for other in Self.keys where other > key {
            for (value, otherValue) in zip(values, values) {
                guard let failure = Self.refusal([key: value, other: otherValue]) else { continue }
                #expect(failure.status == .configuration, "\(key)=\(value) \(other)=\(otherValue): \(failure)")
            }
        }
    }

    @Test(arguments: [
        ["batch.tokens": "1099511627776"],
        ["batch.tokens": "1099511627776", "batch.micro_batch_tokens": "512"],
        [
            "batch.micro_batch_tokens": "2147483648", "batch.tokens": "2147483648", "model.d_model": "16384",
            "model.layers": "10000", "model.experts": "512",
        ],
        ["model.experts": "65536", "model.granularity": "64", "model.feed_forward": "64"],
        ["parallel.threads_per_rank": "1025"], ["train.steps": "1099511627776", "batch.tokens": "1073741824"],
    ]) func whatCannotWorkIsRefusedWithWhatIsAllowed(settings: [String: String]) throws {
        let failure = try #require(Self.refusal(settings))
        #expect(failure.status == .configuration)
        #expect(failure.message.contains("allowed") || failure.advice != nil, "\(failure)")
    }

    @Test func threadsThatCouldOnlyWaitAreRefused() {
        let many = max(64, 8 * ProcessInfo.processInfo.processorCount)
        #expect(Self.alone { world throws(Failure) in try requireFewThreads(many, on: world) } == nil)
        let refusal = Self.alone { world throws(Failure) in try requireFewThreads(many + 1, on: world) }
        #expect(refusal?.status == .configuration)
    }
}
