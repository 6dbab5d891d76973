import CPlatform
import Foundation

/// The processor of this machine.
package struct Processor: Codable, Sendable, Equatable {
    /// As its maker calls it.
    package var model: String
    /// Instruction sets by Linux's names, empty where the system does not tell: `avx2`, `fma`, `avx512f`, `avx512_bf16`,
    /// `amx_bf16`, `asimd`.
    package var features: Set<String>
    /// Logical processors of the machine.
    package var count: Int

    package init(model: String, features: Set<String>, count: Int) {
        self.model = model
        self.features = features
        self.count = count
    }

    /// What instructions a build uses, in ascending order on x86-64.
    package enum Target: Int, Codable, Sendable {
        case baseline, avx2, avx512, neon

        /// What the processor must have for it.
        package var needs: Set<String> {
            switch self {
            case .baseline, .neon: []
            case .avx2: ["avx2", "fma"]
            case .avx512: ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]
            }
        }

        /// What this program was built for.
        package static var ofThisBuild: Target { Target(rawValue: Int(platform_build_target())) ?? .baseline }
    }

    package func supports(_ target: Target) -> Bool { features.isSuperset(of: target.needs) }
}

extension Processor {
    /// From `/proc/cpuinfo`, or from the kernel's variables on macOS.
    package static var ofThisMachine: Processor {
        Processor(
            cpuinfo: (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? "",
            count: ProcessInfo.processInfo.processorCount)
    }

    /// The first processor that `/proc/cpuinfo` describes; x86 and Arm use other words for the same.
    package init(cpuinfo text: String, count: Int) {
        var fields: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            if parts.count == 2, fields[parts[0]] == nil { fields[parts[0]] = parts[1] }
        }
        let arm = fields["CPU part"].map { "Arm, implementer \(fields["CPU implementer"] ?? "?"), part \($0)" }
        model = fields["model name"] ?? arm ?? "unknown"
        features = Set((fields["flags"] ?? fields["Features"] ?? "").split(separator: " ").map(String.init))
        self.count = count
    }

}
