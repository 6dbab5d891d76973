import Diagnostics
import Platform
import RunFormat

/// The matrix library, and how near it comes to what the processor can do.
func matrixFindings(_ facts: HostReport) -> [Finding] {
    var findings: [Finding] = []
    if facts.processor.supports(.avx512), !isKernelForAVX512(facts.matrixKernel) {
        findings.append(
            .warn(
                "matrix library", "\(facts.matrixKernel): a kernel without AVX-512 on a processor that has it",
                "unset OPENBLAS_CORETYPE; if it is not set, install a newer OpenBLAS"))
    } else {
        findings.append(.ok("matrix library", facts.matrixKernel))
    }
    if let load = facts.load, load > 0.5 * Double(facts.processor.count) {
        findings.append(
            .warn(
                "other work", "\(decimals(load, 1)) processes wanted a processor in the last minute",
                "the rates below are too low while that lasts: look with top, wait, and try again"))
    }
    guard let rates = facts.rates else { return findings }
    findings.append(
        rateFinding("GEMM, one thread", rates.gemmOfOne, of: rates.peakOfOne.float32, rates.peakOfOne.instructions))
    if rates.threads > 1 {
        let ofAll = rateFinding(
            "GEMM, \(rates.threads) threads", rates.gemmOfAll, of: rates.peakOfAll.float32,
            rates.peakOfAll.instructions)
        findings.append(scalingFinding(rates) ?? ofAll)
    }
    findings.append(pairFinding(rates, facts.processor))
    return findings
}

/// OpenBLAS's names of kernels that use AVX-512; oneDNN is chosen only where it has such.
private func isKernelForAVX512(_ kernel: String) -> Bool {
    ["oneDNN", "SkylakeX", "Cooperlake", "Sapphire", "Zen4", "Zen5"].contains {
        kernel.lowercased().contains($0.lowercased())
    }
}

private func rateFinding(_ subject: String, _ rate: Double, of peak: Double, _ instructions: String) -> Finding {
    let share = rate / peak
    let text =
        "float32 \(gigaflops(rate)), \(percent(share)) of the \(gigaflops(peak)) that a loop of multiply-adds in "
        + "registers reaches (\(instructions))"
    guard share < 0.6 else { return .ok(subject, text) }
    return .warn(
        subject, text,
        "other work on this machine, a forced or old OpenBLAS kernel, or a processor that slows down: "
            + "look with top, and try again")
}

/// Threads that do not help each other share a core, or the machine is busy.
private func scalingFinding(_ rates: HostReport.Rates) -> Finding? {
    let gain = rates.gemmOfAll / rates.gemmOfOne
    guard gain < 0.6 * Double(rates.threads) else { return nil }
    return .warn(
        "GEMM, \(rates.threads) threads",
        "float32 \(gigaflops(rates.gemmOfAll)), only \(decimals(gain, 1)) times what one thread reaches",
        "the threads share cores or a power limit, or other work runs here: see threads and binding")
}

/// Products in bfloat16: whether there is a library for them, and whether they are faster than float32.
private func pairFinding(_ rates: HostReport.Rates, _ processor: Processor) -> Finding {
    let subject = "bfloat16"
    guard let rate = rates.bfloat16OfAll else {
        return .warn(
            subject, "no products in bfloat16: this build has no oneDNN, or this processor no AVX-512",
            "install libdnnl-dev and build again if the processor has AVX-512")
    }
    guard rate > 1.2 * rates.gemmOfAll else {
        return .warn(
            subject, "products reach \(gigaflops(rate)) in bfloat16 and \(gigaflops(rates.gemmOfAll)) in float32",
            "train in float32 here: this processor gains nothing from bfloat16")
    }
    let peak =
        rates.peakOfAll.bfloat16.map { "\(percent(rate / $0)) of the \(gigaflops($0)) of a loop in registers" }
        ?? "by tiles (AMX), whose rate in registers is not known"
    return .ok(subject, "\(gigaflops(rate)), \(peak), \(decimals(rate / rates.gemmOfAll, 1)) times float32")
}

/// What a kernel that the environment forces costs.
func forcedKernelFindings(_ forced: ForcedKernel?) -> [Finding] {
    guard let forced else {
        return [.ok("forced kernel", "neither \(ForcedKernel.names.joined(separator: " nor ")) is set")]
    }
    let set = forced.variables.joined(separator: " ")
    guard forced.loss > 0.05 else {
        return [.ok("forced kernel", "\(set), which costs nothing here: \(forced.forced.description)")]
    }
    return [
        .warn(
            "forced kernel",
            "\(set) loses \(percent(forced.loss)) of the matrix rate: \(forced.forced.description) instead of "
                + forced.free.description,
            "unset \(forced.variables.map { $0.split(separator: "=")[0] }.joined(separator: " "))")
    ]
}
