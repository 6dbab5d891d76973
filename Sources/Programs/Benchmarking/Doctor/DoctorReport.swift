package import Diagnostics
import Foundation
import Platform

/// All that the doctor found, in the order in which it is told.
package struct DoctorReport: Codable, Sendable, Equatable {
    package var status: Finding.Level
    package var findings: [Finding]

    /// A pure function of the facts.
    package init(_ job: JobReport) {
        var all: [Finding] = []
        let hosts = job.hosts
        for host in hosts {
            let name = hosts.count > 1 ? "\(host.place.host): " : ""
            let ofHost =
                processorFindings(host) + matrixFindings(host) + libraryFindings(host) + memoryFindings(host)
                + limitFindings(host)
            all += ofHost.map { finding in
                var named = finding
                named.subject = name + finding.subject
                return named
            }
        }
        all += forcedKernelFindings(job.forcedKernel) + bindingFindings(job) + agreementFindings(job)
        findings = all
        status = all.map(\.level).max() ?? .ok
    }

    /// A line for each finding, and one for what to do about those that are not well.
    package var text: String {
        var lines: [String] = []
        let width = findings.map(\.subject.count).max() ?? 0
        for finding in findings {
            let mark = ["ok": "OK  ", "warn": "warn", "fail": "FAIL"][finding.level.rawValue] ?? ""
            lines.append(
                "\(mark)  \(finding.subject.padding(toLength: width, withPad: " ", startingAt: 0))  \(finding.text)")
            if let advice = finding.advice {
                lines.append(String(repeating: " ", count: width + 8) + advice)
            }
        }
        let counts = [Finding.Level.ok, .warn, .fail].map { level in findings.count { $0.level == level } }
        lines.append("\(counts[0]) ok, \(counts[1]) warnings, \(counts[2]) failures")
        return lines.joined(separator: "\n")
    }

    /// What a command ends with if something fails.
    package var failure: Failure? {
        guard status == .fail else { return nil }
        let subjects = findings.filter { $0.level == .fail }.map(\.subject).joined(separator: ", ")
        return Failure(
            .unavailable, "the doctor found what will not work: \(subjects)",
            advice: "the lines marked FAIL say what to do")
    }
}
