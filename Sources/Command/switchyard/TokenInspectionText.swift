import Data
import Diagnostics
import Foundation

extension TokenInspection {
    /// For people; texts of the file are shown without what a terminal would obey.
    var text: String {
        var parts = [labeledLines(figures.map { (label: $0.0, value: $0.1) }, columns: nil)]
        if !histogram.isEmpty { parts.append(lengthsTable) }
        if !mostFrequent.isEmpty { parts.append(entriesTable) }
        for (number, sample) in samples.enumerated() {
            parts.append("document \(number), \(grouped(sample.tokens)) tokens: \(visible(sample.text).prefix(300))")
        }
        return parts.joined(separator: "\n\n")
    }

    private var figures: [(String, String)] {
        var lines = [
            ("file", "\(path), \(bitsPerToken) bits a token"),
            ("tokenizer", "\(tokenizer)\(tokenizerSetting.map { ", made as `\($0)`" } ?? "")"),
            ("vocabulary", "\(grouped(vocabularySize)) entries, \(grouped(usedEntries)) of them in use"),
            ("tokens", grouped(tokens)), ("documents", grouped(documents)),
            (
                "text",
                "\(byteCount(Double(textBytes))), \(decimals(Double(textBytes) / Double(max(tokens, 1)), 3)) bytes a token"
            ),
        ]
        if let sources {
            lines.append(("made from", "\(sources.count) file\(sources.count == 1 ? "" : "s"): \(names(sources))"))
        }
        if let lengths {
            lines.append(
                (
                    "lengths",
                    "\(grouped(lengths.shortest)) to \(grouped(lengths.longest)) tokens, median \(grouped(lengths.median)), mean "
                        + "\(decimals(lengths.mean, 1)), nine in ten below \(grouped(lengths.ninetiethPercentile + 1))"
                ))
        }
        return lines.map { ($0, visible($1)) }
    }

    private func names(_ sources: [String]) -> String {
        sources.prefix(3).joined(separator: ", ") + (sources.count > 3 ? ", …" : "")
    }

    private var lengthsTable: String {
        var table = TextTable(["tokens of a document", "documents", "tokens", ""])
        let most = histogram.map(\.documents).max() ?? 1
        for bucket in histogram {
            let bar = String(repeating: "█", count: (30 * bucket.documents + most - 1) / most)
            table.add([
                "\(grouped(bucket.from))–\(grouped(bucket.through))", grouped(bucket.documents), grouped(bucket.tokens),
                bar.padding(toLength: 30, withPad: " ", startingAt: 0),
            ])
        }
        return table.text
    }

    private var entriesTable: String {
        var table = TextTable(["most frequent", "token", "count", "share"])
        for entry in mostFrequent {
            table.add([
                entry.text.isEmpty ? "end of document" : "`\(visible(entry.text))`", "\(entry.token)",
                grouped(entry.count),
                "\(decimals(100 * Double(entry.count) / Double(max(tokens, 1)), 2)) %",
            ])
        }
        return table.text
    }
}
