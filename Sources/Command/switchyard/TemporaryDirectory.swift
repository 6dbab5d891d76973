import Collectives
import Diagnostics
import Foundation
import Platform

/// A directory for files that nobody needs afterwards, the same on all ranks. On one machine: evaluation is one job there.
struct TemporaryDirectory {
    let path: String

    init(on world: any Communicator) throws(Failure) {
        let agreement = Agreement(ranks: world)
        let own = try agreement.onRankZero { () throws(Failure) in
            let folder = FileManager.default.temporaryDirectory.path()
            return try makeUniqueDirectory(
                in: folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder,
                prefix: "switchyard-evaluate-")
        }
        path = try agreement.broadcast(own ?? "")
    }

    func remove(on world: any Communicator) {
        if world.rank == 0 { try? removeTree(path) }
    }
}
