package import Foundation

/// The names that earlier versions used in files and on the command line, and the names that replaced them.
///
/// A user's configuration or option with an old name is an error that gives the new one. What earlier versions wrote
/// (the configuration in a checkpoint or run directory, records, fits) is translated when it is read.
package enum RetiredKeys {
    /// Configuration keys, as `section.key`.
    package static let configuration = [
        "batch.lane_tokens": "batch.micro_batch_tokens",
        "parallel.lanes_in_flight": "parallel.micro_batches_in_flight",
    ]

    /// Fields of `metrics.jsonl`, `run.json` and the files of `fit`.
    package static let fields = [
        "dropped_share": "dropped_ratio",
        "dropped_share_by_layer": "dropped_ratio_by_layer",
        "lanes_in_flight": "micro_batches_in_flight",
        "starts": "initial_points",
    ]

    /// - Parameters:
    ///   - key: a key as it was found
    ///   - place: where it was found, such as `run.yaml:12` or `--set`
    /// - Returns: the error to throw if `key` is a retired configuration key; nil if it is not
    package static func failure(for key: String, at place: String) -> Failure? {
        configuration[key].map { current in
            Failure(
                .configuration, "\(place): `\(key)` is a key of an earlier version",
                advice: "write `\(current)`; values and meaning are the same")
        }
    }

    /// Returns a configuration that a run has stored, with current keys: blocks of `section:` and indented `key: value` lines.
    package static func translated(configuration yaml: String) -> String {
        var section = ""
        // Bytes: in Swift "\r\n" is one character.
        return yaml.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { bytes in
            let line = String(decoding: bytes, as: UTF8.self)
            guard let colon = line.firstIndex(of: ":"), let start = line.firstIndex(where: { $0 != " " }), start < colon
            else { return line }
            let name = line[start..<colon]
            if start == line.startIndex { section = String(name) }
            guard start > line.startIndex, let current = configuration["\(section).\(name)"] else { return line }
            return String(line[..<start] + current.dropFirst(section.count + 1) + line[colon...])
        }
        .joined(separator: "\n")
    }
}

extension JSONDecoder {
    /// Returns a decoder of records, which reads retired names of fields as the current ones.
    package static func ofRecords() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .custom { path in
            let name = path.last?.stringValue ?? ""
            return FieldName(stringValue: RetiredKeys.fields[name] ?? name)
        }
        return decoder
    }
}

private struct FieldName: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
