import Configuration
import Diagnostics
import Foundation
import Platform
import RunFormat
import Testing

/// The pages on records, exit codes and modules name what exists, and nothing else.
struct RecordDocumentationTests {
    @Test func everyFieldOfAStepIsDescribed() throws {
        var record = StepRecord()
        record.sequences = 1
        (record.time, record.host, record.mfuIsDoubtful, record.skipped) = ("", "", true, true)
        (record.tokensBySource, record.lossBySource) = ([1, 1], [1, nil])
        record.expertLoad = [[1]]
        record.validationLoss = 1
        record.validationBitsPerByte = 1
        record.validationLossBySource = [1, nil]
        record.emaValidationLoss = 1
        record.checkpointStallSeconds = 1
        record.hiddenExchangeSeconds = 1
        record.overlappedReductionSeconds = 1
        let fields = try #require(
            try JSONSerialization.jsonObject(with: JSONEncoder().encode(record)) as? [String: Any])
        let described = try MarkdownTable("docs/metrics.md", head: "field", section: "## `metrics.jsonl`").rows
        #expect(described.map { MarkdownTable.code($0[0]) }.sorted() == fields.keys.sorted())
    }

    /// A summary with what the page lists, and with nothing else, can be read and is written the same.
    @Test func everyFieldOfARunIsDescribed() throws {
        var values: [String: Any] = [:]
        for row in try MarkdownTable("docs/metrics.md", head: "field", section: "## `run.json`").rows {
            let kinds: [String: Any] = ["whole number": 1, "number": 1.5, "true or false": true, "text": "x"]
            let kind: Any = try #require(kinds[row[1]], "\(row)")
            values[MarkdownTable.code(row[0])] = kind
        }
        let summary = try JSONDecoder().decode(RunSummary.self, from: JSONSerialization.data(withJSONObject: values))
        let fields = try #require(
            try JSONSerialization.jsonObject(with: JSONEncoder().encode(summary)) as? [String: Any])
        #expect(values.keys.sorted() == fields.keys.sorted())
    }

    @Test func everyExitCodeIsDescribed() throws {
        let rows = try MarkdownTable("docs/exit-codes.md", head: "code").rows
        #expect(rows.compactMap { Int32($0[0]) }.sorted() == ExitStatus.allCases.map(\.rawValue).sorted())
    }

    /// docs/architecture.md shows every module in the layer where scripts/layers, which is checked, puts it.
    @Test func theModulesStandInTheirLayers() throws {
        var layers: [String: String] = [:]
        for line in try Pages.text("scripts/layers").split(separator: "\n") where !line.hasPrefix("#") {
            let name = try #require(line.firstRange(of: "  ")).lowerBound
            guard line[..<name] != "outside" else { continue }
            // `HDF5 -> MPI` is HDF5 and where it may point.
            for group in line[name...].split(separator: "  ") where !group.allSatisfy({ $0 == " " }) {
                layers[String(try #require(group.split(separator: " ").first))] = String(line[..<name])
            }
        }
        var shown: [String: String] = [:]
        for row in try MarkdownTable("docs/architecture.md", head: "layer").rows {
            for module in MarkdownTable.codes(row[1]) { shown[module] = row[0] }
        }
        #expect(shown == layers)
    }

    /// Links to a section of a page name a heading that the page has, as code hosts spell it.
    @Test func everySectionThatIsLinkedExists() throws {
        func anchor(_ heading: Substring) -> String {
            let kept = heading.lowercased().filter { $0.isLetter || $0.isNumber || " -_".contains($0) }
            return kept.replacing(" ", with: "-")
        }
        for page in try Pages.all() {
            let folder = page.split(separator: "/").dropLast().joined(separator: "/")
            for link in try Pages.text(page).matches(of: /\]\(([^)#:]*)#([^)]+)\)/) {
                let target = link.output.1.isEmpty ? page : "\(folder)/\(link.output.1)"
                let headings = try Pages.text(target).matches(of: /(?m)^#+ (.+)$/).map { anchor($0.output.1) }
                #expect(headings.contains(String(link.output.2)), "\(page) links \(link.output.0)")
            }
        }
    }

    /// Links and the names of files lead somewhere.
    @Test func everythingThatIsNamedExists() throws {
        let folders = ["Sources/", "Tests/", "Benchmarks/", "scripts/", "docs/", "configs/", "cluster/"]
        for page in try Pages.all() {
            let text = try Pages.text(page), folder = page.split(separator: "/").dropLast().joined(separator: "/")
            let links = text.matches(of: /\]\(([^)#:]+)(#[^)]*)?\)/).map { "\(folder)/\($0.output.1)" }
            let names = MarkdownTable.codes(text.replacing("```", with: "")).filter { name in
                folders.contains { name.hasPrefix($0) } && name.allSatisfy { !" *<{…".contains($0) }
            }
            for path in links + names {
                let isThere = FileManager.default.fileExists(atPath: Pages.root.appending(path: path).path())
                #expect(isThere, "\(page) names \(path)")
            }
        }
    }
}
