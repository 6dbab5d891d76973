package import Diagnostics
import Foundation
import Platform

/// Event files for TensorBoard: the numbers of every step as scalars, the loads of a layer's experts as a histogram, the
/// configuration as text.
///
/// Each job begins a file of its own, and says with which step: TensorBoard then drops the later steps of the files before it, also
/// while it shows them. Earlier files are never touched.
package final class TensorBoardSink: RecordSink {
    private let file: AppendedFile
    private let configuration: String

    /// - Parameter configuration: YAML
    /// - Throws: `cannotCreate` if the directory or the file cannot be made
    package init(_ directory: String, configuration: String) throws(Failure) {
        try makeDirectory(directory)
        self.configuration = configuration
        file = try AppendedFile(Self.newName(in: directory))
    }

    /// - Throws: `cannotCreate` if `path` is there and no directory
    package static func requireDirectory(_ path: String) throws(Failure) {
        guard fileExists(path), !Files.isDirectory(path) else { return }
        throw Failure(
            .cannotCreate, "\(path) is no directory, and the event files for TensorBoard belong there",
            advice: "move it away, or take tensorboard out of metrics.formats")
    }

    /// A name that TensorBoard looks for and that no file has; it reads the files of a run in the order of their names.
    private static func newName(in directory: String) -> String {
        let seconds = Int(Date().timeIntervalSince1970), process = ProcessInfo.processInfo
        let began = "\(directory)/events.out.tfevents.\(seconds).\(process.hostName).\(process.processIdentifier)"
        var number = 0
        while FileManager.default.fileExists(atPath: "\(began).\(number)") { number += 1 }
        return "\(began).\(number)"
    }

    package func resume(after step: Int) throws(Failure) {
        try file.cut { (_) throws(Failure) in 0 }
        let text = "```yaml\n\(configuration)```"
        for event in [
            TensorBoardEvent(time: now, step: 0, .fileVersion),
            TensorBoardEvent(time: now, step: step + 1, .sessionStart),
            TensorBoardEvent(time: now, step: step, .summary([.text("configuration", text)])),
        ] {
            try file.append(event.record)
        }
    }

    package func append(_ record: StepRecord) throws(Failure) {
        let fields = try FlatRecord(record, for: file.path).fields
        let scalars = fields.compactMap { field -> TensorBoardEvent.Value? in
            guard case .number(let number)? = field.value, let tag = field.tag else { return nil }
            return .scalar(tag, Float(number))
        }
        let loads = (record.relativeExpertLoad ?? []).enumerated().map { layer, loads in
            TensorBoardEvent.Value.histogram("expert_load/\(layer)", Histogram(of: loads))
        }
        try file.append(TensorBoardEvent(time: now, step: record.step, .summary(scalars + loads)).record)
    }

    package func flush() throws(Failure) { try file.flush() }

    private var now: Double { Date().timeIntervalSince1970 }
}

extension FlatRecord.Field {
    /// The field's name below the group under which TensorBoard shows it; nil for what is no curve.
    fileprivate var tag: String? {
        if let index { return "\(name)/\(index)" }
        switch name {
        case "step", "sequences": return nil
        case "tokens", "learning_rate", "gradient_norm": return "training/\(name)"
        case "tokens_per_second", "mfu", "gemm_peak_flops": return "speed/\(name)"
        case "dropped_ratio": return "routing/\(name)"
        case "peak_memory_bytes": return "memory/\(name)"
        case let name where name.hasSuffix("seconds"): return "seconds/\(name)"
        default: return "loss/\(name)"
        }
    }
}
