package import Collectives
package import Configuration
package import Diagnostics
import Foundation
import MatrixProducts
import Randomness

/// Whether all ranks were started with the same program, configuration and libraries: a difference would show only as
/// wrong numbers, or as a hang.
package func requireSameJob(_ configuration: RunConfiguration, on world: any Communicator) throws(Failure) {
    let mine = [
        ("configuration", hexadecimal(digest(of: configuration.yaml))),
        ("program", programIdentity()),
        ("matrix kernels", ProductLibrary.kernelSet(configuration.precision)),
    ]
    let agreement = Agreement(ranks: world)
    for (what, value) in mine {
        let all = try agreement.allGather(Array(value.utf8)).map { String(decoding: $0, as: UTF8.self) }
        guard let other = all.firstIndex(where: { $0 != all[0] }) else { continue }
        throw Failure(
            .configuration,
            "the ranks of this job do not agree: rank 0 has the \(what) \(all[0]), rank \(other) has \(all[other])",
            advice: "start all ranks from the same files, on machines with the same libraries and kind of CPU")
    }
}

/// A number that changes with every build.
package func programIdentity() -> String {
    guard let path = Bundle.main.executablePath, let bytes = FileManager.default.contents(atPath: path) else {
        return "unknown"
    }
    var hash: UInt64 = 0
    unsafe bytes.withUnsafeBytes { raw in
        let words = unsafe raw.bindMemory(to: UInt64.self)
        for i in 0..<words.count { unsafe hash = (hash ^ words[i]) &* 0x9E37_79B9_7F4A_7C15 &+ (hash >> 29) }
    }
    return hexadecimal(hash)
}
