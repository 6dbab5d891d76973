package import Diagnostics
import Foundation
import JSON
import Planning
import Platform
import RunFormat

/// What a report is made of, found at the paths that a user names: run directories, studies, tables of runs, fits.
package struct ReportInputs: Sendable {
    package private(set) var runs: [RunHistory] = []
    private var tables: [(name: String, runs: [RunMeasurement])] = []
    private var fits: [(name: String, record: FitRecord)] = []
    private var benchmarks: [PageSection] = []
    /// Every file that is read.
    package private(set) var files: [String] = []

    /// - Throws: `noInput` or `data`, naming the path
    package init(_ paths: [String]) throws(Failure) {
        for path in paths { try add(path) }
    }

    private mutating func add(_ path: String) throws(Failure) {
        var isDirectory: ObjCBool = false
        guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw Failure(.noInput, "there is no \(path)", advice: Self.kinds)
        }
        if isDirectory.boolValue { return try add(directory: path) }
        switch splitPath(path).name.split(separator: ".").last {
        case "csv": try add(table: path)
        case "json": try add(json: path)
        default: throw Failure(.usage, "\(path) is nothing that a report shows", advice: Self.kinds)
        }
    }

    private static let kinds =
        "name a run's directory, a study's directory, a table of runs (.csv), a fit (.json) or what `bench --json` printed (.json)"

    private mutating func add(directory path: String) throws(Failure) {
        let table = "\(path)/runs.csv", fit = "\(path)/fit.json"
        guard !fileExists("\(path)/metrics.jsonl"), fileExists(table) else {
            let run = try RunHistory(path)
            guard run.last != nil else {
                throw Failure(
                    .data, "\(run.directory.metrics) has no records", advice: "wait for the first step of the run")
            }
            files += [run.directory.metrics, run.directory.summary, run.directory.configuration]
            runs.append(run)
            return
        }
        try add(table: table)
        if fileExists(fit) { try add(fit: fit) }
    }

    private mutating func add(table path: String) throws(Failure) {
        files.append(path)
        tables.append((path, try runTable(csv: runTableText(path), file: path, for: .anything).records))
    }

    private mutating func add(json path: String) throws(Failure) {
        // What was redirected to a file may have other lines before the object.
        let text = try String(decoding: RegularFile(path).contents(limit: 1 << 24), as: UTF8.self)
        let last = text.split(separator: "\n").last ?? ""
        guard let answer = try? JSONDecoder().decode([String: JSONValue].self, from: Data(last.utf8)),
            let section = PageSection(benchmark: answer, named: path)
        else {
            guard text.contains("\"law\"") else {
                throw Failure(
                    .data, "\(path) is neither the file of a fit nor what `bench --json` prints",
                    advice:
                        "write it again with `switchyard fit RUNS --output FILE` or `switchyard bench … --json >FILE`")
            }
            return try add(fit: path)
        }
        files.append(path)
        benchmarks.append(section)
    }

    private mutating func add(fit path: String) throws(Failure) {
        fits.append((path, try FitRecord.read(file: path)))
        files.append(path)
    }

    /// The sections of the page: runs side by side, each run, each table, each law with all runs of the tables.
    package func sections() throws(Failure) -> [PageSection] {
        var sections = runs.count > 1 ? [PageSection(comparing: runs)] : []
        sections += runs.map { PageSection($0) }
        sections += tables.map { PageSection($0.runs, from: $0.name) }
        for fit in fits {
            sections.append(try PageSection(fit.record, named: fit.name, tables.flatMap(\.runs)))
        }
        return sections + benchmarks
    }

    /// The page's title where the user gives none.
    package var title: String {
        let names = runs.map(\.name) + tables.map(\.name) + fits.map(\.name) + benchmarks.map(\.title)
        return names.count == 1 ? names[0] : "Report on \(names.count) results"
    }
}
