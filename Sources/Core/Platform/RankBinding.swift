import CPlatform
import Foundation

/// Where one rank runs, and how many threads it has there.
package struct RankBinding: Codable, Sendable, Equatable {
    package var host: String
    /// Virtual ranks share one.
    package var process: Int32
    /// Numbers of the processors the rank may run on; empty where the system does not tell.
    package var processors: [Int]
    package var threads: Int

    package init(host: String, process: Int32, processors: [Int], threads: Int) {
        self.host = host
        self.process = process
        self.processors = processors
        self.threads = threads
    }

    package static func ofThisProcess(threads: Int) -> RankBinding {
        RankBinding(
            host: ProcessInfo.processInfo.hostName, process: ProcessInfo.processInfo.processIdentifier,
            processors: Processors.allowed, threads: threads)
    }
}

/// Sets of processors, by their numbers.
package enum Processors {
    /// Those that the calling thread may run on; empty where the system does not tell.
    package static var allowed: [Int] {
        let most = max(ProcessInfo.processInfo.processorCount, 1024)
        return (0..<most).filter { platform_may_use_processor(Int32($0)) > 0 }
    }

    /// How many threads of this process can run at a time.
    package static var count: Int {
        let allowed = allowed.count
        return allowed > 0 ? allowed : ProcessInfo.processInfo.activeProcessorCount
    }

    /// Lets the calling thread, and the threads that it makes, run on `processors` where the system allows it.
    package static func use(_ processors: [Int]) {
        unsafe processors.map(Int32.init).withUnsafeBufferPointer { numbers in
            unsafe platform_use_processors(numbers.baseAddress, Int32(numbers.count))
        }
    }
}

/// Ranks of one machine that have fewer processors between them than threads.
package struct Oversubscription: Sendable, Equatable {
    package var host: String
    package var ranks: [Int]
    package var threads: Int
    package var processors: [Int]

    package init(host: String, ranks: [Int], threads: Int, processors: [Int]) {
        self.host = host
        self.ranks = ranks
        self.threads = threads
        self.processors = processors
    }

    /// `rank 0 on n1: 2 threads on processor 3`
    package var description: String {
        let who = ranks.count == 1 ? "rank \(ranks[0])" : "ranks \(list(ranks))"
        let place = processors.count == 1 ? "processor \(processors[0])" : "\(processors.count) processors"
        return "\(who) on \(host): \(threads) thread\(threads == 1 ? "" : "s") on \(place)"
    }

    private func list(_ numbers: [Int]) -> String {
        let first = numbers.prefix(8).map(String.init).joined(separator: ", ")
        return numbers.count > 8 ? "\(first) and \(numbers.count - 8) more" : first
    }
}

/// Where threads wait for each other: groups of ranks whose allowed processors overlap, directly or through others, and
/// are fewer than their threads.
/// - Parameter places: of all ranks, in rank order
package func oversubscriptions(_ places: [RankBinding]) -> [Oversubscription] {
    var groups: [Oversubscription] = []
    var seen: Set<String> = []
    for (rank, place) in places.enumerated() where !place.processors.isEmpty {
        // Virtual ranks are threads of one process, started to look at a job rather than for speed.
        guard seen.insert("\(place.host) \(place.process)").inserted else { continue }
        var merged = Oversubscription(
            host: place.host, ranks: [rank], threads: place.threads, processors: place.processors)
        let touching = groups.filter { $0.host == place.host && !Set($0.processors).isDisjoint(with: place.processors) }
        groups.removeAll { touching.contains($0) }
        for other in touching {
            merged.ranks += other.ranks
            merged.threads += other.threads
            merged.processors = Array(Set(merged.processors).union(other.processors))
        }
        merged.ranks.sort()
        merged.processors.sort()
        groups.append(merged)
    }
    return groups.filter { $0.threads > $0.processors.count }.sorted { $0.ranks[0] < $1.ranks[0] }
}
