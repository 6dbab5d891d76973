import ArgumentParser
import Diagnostics
import Foundation
import HDF5
import Platform

/// An HDF5 file that no manifest vouches for: parsed in a process of its own, which may crash, loop or eat memory.
struct UnverifiedFile {
    let path: String

    /// Seconds of computing that the child gets; twice that by the clock.
    private static let seconds: UInt32 = 10
    private static let memory: UInt = 4 << 30

    /// Starts this program again on the file and passes its answer on.
    func inspectInChild() throws {
        _ = try RegularFile(path)
        guard let program = Bundle.main.executablePath else {
            throw Failure(.unavailable, "cannot find this program's own file to parse \(path) in a process of its own")
        }
        let ending: ChildProcess.Ending
        do {
            ending = try ChildProcess.run(program, ["inspect", "--unverified", escapedPath(path)]).ending
        } catch {
            throw Failure(.unavailable, error.description)
        }
        switch ending {
        case .exit(0): return
        // The child has said so itself.
        case .exit(let code) where code == ExitStatus.inputOutput.rawValue || code == ExitStatus.brokenPipe.rawValue:
            throw ExitCode(code)
        case .exit(let code):
            throw Failure(ExitStatus(rawValue: code) ?? .data, "\(path) is not a readable HDF5 file")
        case .signal(let number):
            throw Failure(
                .data, "\(path) made the HDF5 library fail or run for too long (signal \(number))",
                advice: "the file is damaged, or made to do harm")
        }
    }

    /// In the child: lists groups and datasets.
    func printContents() throws {
        limitThisProcess()
        try StandardOutput.write("\(visible(path)): no manifest vouches for this file")
        let file = try HDF5File.open(path), root = try file.root()
        var left = 100_000
        try list(root, prefix: "", left: &left)
        try root.close()
        try file.close()
    }

    private func limitThisProcess() {
        var computing = rlimit(rlim_cur: rlim_t(Self.seconds), rlim_max: rlim_t(Self.seconds))
        var memory = rlimit(rlim_cur: rlim_t(Self.memory), rlim_max: rlim_t(Self.memory))
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_CPU.rawValue), &computing)
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &memory)
        alarm(2 * Self.seconds)
    }

    private func list(_ group: HDF5Group, prefix: String, left: inout Int) throws {
        for name in try group.names() {
            left -= 1
            guard left > 0 else { throw Failure(.data, "\(path) has more than 100000 objects") }
            guard try group.isInside(name) else {
                try StandardOutput.write("  \(prefix)\(visible(name))  link, not followed")
                continue
            }
            if try group.isGroup(name) {
                let inner = try group.group(name)
                try list(inner, prefix: "\(prefix)\(visible(name))/", left: &left)
                try inner.close()
            } else {
                let dataset = try group.dataset(name)
                let shape = dataset.shape.map(String.init).joined(separator: "×")
                let kind = try dataset.storage()?.rawValue ?? "other"
                try StandardOutput.write("  \(prefix)\(visible(name))  \(shape)  \(kind)")
                try dataset.close()
            }
        }
    }
}
