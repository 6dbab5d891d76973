import Collectives
import Diagnostics
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A directory for files that nobody needs afterwards, the same on all ranks. On one machine: evaluation is one job there.
struct TemporaryDirectory {
    let path: String

    init(on world: any Communicator) throws(Failure) {
        let own = FileManager.default.temporaryDirectory.appending(path: "switchyard-evaluate-\(getpid())").path()
        path = String(decoding: try Agreement(ranks: world).gather(Array(own.utf8))[0], as: UTF8.self)
    }

    func remove(on world: any Communicator) {
        if world.rank == 0 { try? FileManager.default.removeItem(atPath: path) }
    }
}
