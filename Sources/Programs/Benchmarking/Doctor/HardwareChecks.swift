import Diagnostics
import Platform
import RunFormat

/// The processor, and whether this build suits it.
func processorFindings(_ facts: HostReport) -> [Finding] {
    let processor = facts.processor
    let known = ["avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "sve", "bf16"]
    let has = known.filter { processor.features.contains($0) }
    let list = has.isEmpty ? "features unknown" : has.joined(separator: " ")
    let cores = "\(processor.count) processor\(processor.count == 1 ? "" : "s")"
    return [.ok("processor", "\(processor.model), \(cores): \(list)"), targetFinding(facts)]
}

private func targetFinding(_ facts: HostReport) -> Finding {
    let (processor, target) = (facts.processor, facts.target), subject = "build"
    guard !processor.features.isEmpty else { return .ok(subject, "built for \(target.name)") }
    guard processor.supports(target) else {
        let missing = target.needs.subtracting(processor.features).sorted().joined(separator: ", ")
        return .fail(
            subject,
            "built for \(target.name), but the processor lacks \(missing): it will end with an illegal instruction",
            "SWITCHYARD_CPU=none swift build -c release")
    }
    if target == .baseline, processor.supports(.avx2) {
        return .warn(
            subject,
            "built for the compiler's baseline, so that kernels other than matrix products are several times slower",
            "SWITCHYARD_CPU=x86-64-v3 swift build -c release")
    }
    if target == .avx2, processor.supports(.avx512) {
        return .ok(subject, "built for \(target.name); the loops with most arithmetic use AVX-512")
    }
    return .ok(subject, "built for \(target.name)")
}

extension Processor.Target {
    var name: String {
        switch self {
        case .baseline: "the compiler's baseline"
        case .avx2: "AVX2 and FMA (x86-64-v3)"
        case .avx512: "AVX-512 (x86-64-v4)"
        case .neon: "Armv8 with NEON"
        }
    }
}

/// Memory and what the system lets a process have of it and of files.
func memoryFindings(_ facts: HostReport) -> [Finding] {
    [memoryFinding(facts.memory), hugePageFinding(facts.limits), sharedMemoryFinding(facts.sharedMemory)]
        .compactMap { $0 }
}

private func memoryFinding(_ memory: HostReport.MemoryFacts) -> Finding {
    let subject = "memory"
    guard let available = memory.available else {
        return .ok(subject, "\(byteCount(memory.installed)) installed; the system does not tell how much is free")
    }
    var text = "\(byteCount(memory.installed)) installed, \(byteCount(available)) free"
    if let limit = memory.controlGroupLimit { text += ", a control group allows \(byteCount(limit))" }
    if available < 1 << 30 {
        return .warn(subject, text, "end what uses the memory, or ask the batch system for more (--mem)")
    }
    if let limit = memory.controlGroupLimit, limit < memory.installed / 2 {
        return .warn(subject, text, "the limit counts, not the machine: ask the batch system or container for more")
    }
    return .ok(subject, text)
}

private func hugePageFinding(_ limits: SystemLimits) -> Finding? {
    switch limits.hugePages {
    case nil: nil
    case "never":
        .warn(
            "huge pages", "never: large arrays lie in 4 kB pages, which costs some percent",
            "as root: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled")
    case let setting?: .ok("huge pages", "\(setting); large arrays ask for them")
    }
}

/// Open MPI keeps messages between the ranks of a machine there.
private func sharedMemoryFinding(_ space: FileSystemSpace?) -> Finding? {
    guard let space else { return nil }
    let text = "\(byteCount(space.size)), \(byteCount(space.free)) free", subject = "/dev/shm"
    if space.free < 16 << 20 {
        return .fail(subject, text, "ranks of one machine talk through it: make room, in Docker with --shm-size=1g")
    }
    if space.free < 256 << 20 {
        return .warn(subject, text, "many ranks on this machine need more: in Docker --shm-size=1g")
    }
    return .ok(subject, text)
}

func limitFindings(_ facts: HostReport) -> [Finding] {
    let limits = facts.limits
    var findings: [Finding] = []
    if let files = limits.openFiles, files < 1024 {
        findings.append(.warn("open files", "\(files) allowed", "ulimit -n 4096: connections and shards need some"))
    } else {
        findings.append(.ok("open files", "\(limits.openFiles.map(grouped) ?? "any number") allowed"))
    }
    let locked = limits.lockedMemory.map { "\(byteCount($0)) allowed" } ?? "unlimited"
    if let most = limits.lockedMemory, most < 64 << 10 {
        findings.append(.warn("locked memory", locked, "ulimit -l unlimited, if the network is InfiniBand"))
    } else {
        findings.append(.ok("locked memory", locked + "; InfiniBand wants it unlimited"))
    }
    let core = limits.coreFile.map { $0 == 0 ? "none" : "up to \(byteCount($0))" } ?? "unlimited"
    findings.append(.ok("core files", core))
    if let disk = facts.currentDirectory {
        let text = "\(byteCount(disk.free)) free in the current directory"
        findings.append(
            disk.free < 1 << 30
                ? .warn("disk", text, "a checkpoint takes 12 bytes a parameter: choose run.directory elsewhere")
                : .ok("disk", text))
    }
    return findings
}
