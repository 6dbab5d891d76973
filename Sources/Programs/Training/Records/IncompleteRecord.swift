import Diagnostics
import Foundation
import RunFormat

/// The record of a step whose validation was broken off because somebody asked the job to leave: the checkpoint of that
/// step keeps it, and the next start validates and writes it, so that no step's record is missing or incomplete.
struct IncompleteRecord {
    /// Its name in `CheckpointRecord.extras`.
    static let key = "unfinished_record"

    var record: StepRecord

    init(_ record: StepRecord) { self.record = record }

    /// Nil if the checkpoint has none.
    init?(extras: [String: String]) throws(Failure) {
        guard let text = extras[Self.key] else { return nil }
        do {
            record = try JSONDecoder.ofRecords().decode(StepRecord.self, from: Data(text.utf8))
        } catch {
            throw Failure(.data, "the checkpoint's \(Self.key) is no record of a step: \(error)")
        }
    }

    /// One line of JSON.
    var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return (try? encoder.encode(record)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
