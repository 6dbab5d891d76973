import Data
package import Diagnostics
import Foundation
import Kernels
import MatrixProducts
import Parallelism
import Platform
import Tensors
import Threading
import Training

/// What forcing OpenBLAS's choice costs here. Its variables are read when the library is loaded, so each side is
/// measured by a child process.
package struct ForcedKernel: Codable, Sendable, Equatable {
    /// The variables that force it, as `NAME=value`.
    package var variables: [String]
    package var forced: GemmRate
    package var free: GemmRate

    package init(variables: [String], forced: GemmRate, free: GemmRate) {
        self.variables = variables
        self.forced = forced
        self.free = free
    }

    package static let names = ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"]

    /// Share of the matrix rate that is lost; negative if forcing helps.
    package var loss: Double { 1 - forced.flops / free.flops }

    /// What a run says when it begins; nil where little is lost.
    package var warning: String? {
        guard loss > 0.05 else { return nil }
        return "warning: \(variables.joined(separator: " ")) is obeyed, but makes float32 matrix products "
            + "\(Int((100 * loss).rounded())) % slower here: \(forced.description) instead of \(free.description); unset it "
            + "unless you need the bits of that kernel"
    }

    /// Which of the variables `environment` sets, as `NAME=value`.
    package static func variables(in environment: [String: String]) -> [String] {
        names.compactMap { name in environment[name].flatMap { $0.isEmpty ? nil : "\(name)=\($0)" } }
    }

    /// Nil if nothing is forced. Takes half a second; both sides twice in turn, the better counts.
    /// - Throws: `unavailable` if the program cannot be started again
    package static func measure() throws(Failure) -> ForcedKernel? {
        let environment = ProcessInfo.processInfo.environment
        let variables = variables(in: environment)
        guard !variables.isEmpty else { return nil }
        let without = environment.filter { !names.contains($0.key) }
        var forced: [GemmRate] = [], free: [GemmRate] = []
        for _ in 0..<2 {
            forced.append(try GemmRate.ofChild(environment))
            free.append(try GemmRate.ofChild(without))
        }
        return ForcedKernel(
            variables: variables, forced: forced.max { $0.flops < $1.flops }!, free: free.max { $0.flops < $1.flops }!)
    }
}

/// The rate of float32 matrix products of one thread, and the kernel that reached it.
package struct GemmRate: Codable, Sendable, Equatable, CustomStringConvertible {
    package var kernel: String
    /// FLOP/s
    package var flops: Double

    package init(kernel: String, flops: Double) {
        self.kernel = kernel
        self.flops = flops
    }

    package var description: String { "\(Int((flops / 1e9).rounded())) GFLOP/s a core (\(kernel))" }

    /// The subcommand of `switchyard` that prints this process's rate.
    package static let command = "gemm-rate"

    /// Of this process, some hundredths of a second.
    package static func ofThisProcess() -> GemmRate {
        GemmRate(
            kernel: ProductLibrary.kernelSet(.float32),
            flops: measureGemmPeak(.float32, on: ThreadPool(count: 1), repetitions: 3))
    }

    static func ofChild(_ environment: [String: String]) throws(Failure) -> GemmRate {
        guard let program = Bundle.main.executablePath else {
            throw Failure(.unavailable, "cannot find this program's own file to measure in a process of its own")
        }
        do {
            let answer = try ChildProcess.run(program, [command], environment: environment, takesOutput: true).output
            return try JSONDecoder().decode(GemmRate.self, from: Data(answer))
        } catch let failure as ChildProcess.StartFailure {
            throw Failure(.unavailable, failure.description)
        } catch {
            throw Failure(.unavailable, "cannot measure with \(program): \(error.localizedDescription)")
        }
    }
}
