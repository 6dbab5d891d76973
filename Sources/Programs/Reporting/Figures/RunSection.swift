import Diagnostics
import RunFormat

extension PageSection {
    /// One run.
    package init(_ run: RunHistory) {
        self.init("Run \(run.name)")
        facts = run.facts
        paragraphs = run.remarks
        figures = RunCurves(run).figures
        let events = run.events
        if events.count > 0 {
            tables.append(
                (
                    "Events" + (events.count > events.events.count ? ", the first \(events.events.count)" : ""),
                    PageTable(
                        header: ["step", "time", "what happened"],
                        rows: events.events.map { ["\($0.step)", $0.time ?? "", $0.text] }, endsInProse: true)
                ))
        }
        if let configuration = run.configuration { texts.append(("Configuration", configuration)) }
    }
}

extension RunHistory {
    /// The figures that one looks for first.
    fileprivate var facts: [(label: String, value: String)] {
        var facts = [("steps", grouped(lastStep)), ("tokens", shortCount(Double(last?.tokens ?? 0)))]
        if let loss = lastLoss { facts.append(("training loss", decimals(loss, 4))) }
        if let held = validations.last {
            facts.append(("held-out loss", decimals(held.loss, 4)))
            if let bits = held.bitsPerByte { facts.append(("bits per byte", decimals(bits, 4))) }
        }
        facts.append(("training time", time(3600 * hours)))
        if let rate = typical(.tokensPerSecond) { facts.append(("tokens per second", shortCount(rate))) }
        if let mfu = typical(.mfu) { facts.append(("MFU", "\(decimals(mfu, 1)) %")) }
        if let dropped = records.points.last?[.droppedRatio].mean {
            facts.append(("dropped", "\(decimals(dropped, 2)) %"))
        }
        if let summary {
            facts.append(("parameters", shortCount(Double(summary.nTotal))))
            facts.append(("active", shortCount(Double(summary.nActive))))
            facts.append(("ranks × threads", "\(summary.ranks) × \(summary.threadsPerRank)"))
        }
        return facts
    }

    fileprivate var remarks: [String] {
        var remarks = ["\(directory.path), recorded until \(last?.time ?? "a time that its records do not say")."]
        if let summary { remarks.append("Kernels: \(summary.kernels).") }
        if events.skippedSteps > 0 { remarks.append("\(grouped(events.skippedSteps)) steps were skipped.") }
        if events.stalls.count > 0, let mean = events.stalls.mean {
            let count = events.stalls.count
            remarks.append(
                "Training stood still for \(grouped(count)) checkpoint\(count == 1 ? "" : "s"), "
                    + "\(time(mean * Double(count))) in all.")
        }
        if otherLines > 0 {
            remarks.append(
                "\(grouped(otherLines)) lines of metrics.jsonl are no records of later steps and are left out.")
        }
        return remarks
    }

    /// The mean loss of the last steps.
    package var lastLoss: Double? { records.points.last { $0[.loss].count > 0 }?[.loss].mean }

    /// The median of a quantity.
    func typical(_ quantity: RecordQuantity) -> Double? {
        let means = records.points.compactMap { $0[quantity].mean }.sorted()
        return means.isEmpty ? nil : means[means.count / 2]
    }
}

/// A time as people read it, also a short one.
func time(_ seconds: Double) -> String { seconds < 10 ? "\(significant(seconds, 2)) s" : duration(seconds) }
