import RunFormat
import Charts
import Diagnostics
import Foundation
import TestSupport
import Testing

import Reporting

@Suite("Pages of a report") struct ReportPageTests {
    private func page(_ prepare: (String) throws -> [String]) throws -> String {
        try inScratchFolder { folder in
            let inputs = try ReportInputs(prepare(folder))
            return ReportPage(title: inputs.title, try inputs.sections(), footer: "a test").html
        }
    }

    private let table = """
        n_active,n_total,tokens,experts,loss
        1e6,1e6,1e8,1,3.5
        1e6,4e6,1e8,4,3.3
        2e6,2e6,2e8,1,3.1
        2e6,8e6,2e8,4,2.9

        """

    @Test("a page loads nothing and has a curve for each number that the records have") func run() throws {
        let html = try page { folder in
            try writeRun("\(folder)/run", records(600) { $0.validationLoss = $0.step % 100 == 0 ? 4.5 : nil })
            return ["\(folder)/run"]
        }
        for title in [
            "Loss", "Throughput", "Model FLOP/s utilization", "Where a step&#39;s time goes",
            "Dropped assignments by layer",
        ] {
            #expect(html.contains("<h3>\(title.replacing("&#39;", with: "'"))</h3>"), "\(title)")
        }
        #expect(!html.contains("Learning rate"))
        #expect(html.firstMatch(of: /(src|href)="(?!#|data:,")/) == nil && !html.contains("@import"))
        try requireBalancedElements(html)
        #expect(!html.contains("nan") && !html.contains("inf,"))
    }

    @Test("the loads of all experts are maps: all layers at the end, and the least even ones over the run") func loads()
        throws
    {
        let html = try page { folder in
            try writeRun(
                "\(folder)/run",
                records(600) { record in
                    guard record.step % 5 == 0 else { return }
                    record.expertLoad = (0..<6).map { layer in [100 + 10 * layer, 100, 100 - 10 * layer, 100] }
                })
            return ["\(folder)/run"]
        }
        #expect(html.contains("<h3>Load of every expert</h3>") && html.contains("layer 5, expert 0: 1.5"))
        for layer in 0..<6 {
            #expect(html.contains("<h3>Load of every expert of layer \(layer)</h3>") == (layer >= 2), "\(layer)")
        }
        try requireBalancedElements(html)
    }

    @Test("names and configurations from outside are text, not markup") func escaping() throws {
        let html = try page { folder in
            let run = "\(folder)/a<script>alert(1)</script>&\"b"
            try writeRun(run.replacing("/script", with: "script"), records(3))
            try "data: </pre><script>x()</script>".write(
                toFile: run.replacing("/script", with: "script") + "/config.yaml", atomically: true, encoding: .utf8)
            return [run.replacing("/script", with: "script"), run.replacing("/script", with: "script")]
        }
        // One script for each chart, and that of the page.
        let figures = html.components(separatedBy: "<figure>").count - 1
        #expect(html.components(separatedBy: "<script").count - 1 == figures + 1)
        #expect(html.contains("a&lt;script&gt;alert(1)&lt;script&gt;&amp;&quot;b"))
        try requireBalancedElements(html)
    }

    @Test("the numbers of every chart are JSON with as many values on both axes") func values() throws {
        struct Values: Decodable {
            struct Line: Decodable { let x, y: [Double] }
            let frame: [Double]
            let lines: [Line]
        }
        let html = try page { folder in
            for name in ["a", "b"] {
                try writeRun("\(folder)/\(name)", records(50) { if $0.step == 7 { $0.loss = .nan } })
            }
            return ["\(folder)/a", "\(folder)/b"]
        }
        let texts = html.matches(of: /<script type="application\/json">(.*?)<\/script>/).map(\.1)
        #expect(texts.count == html.components(separatedBy: "<svg").count - 1 && texts.count > 10)
        for text in texts {
            let values = try JSONDecoder().decode(Values.self, from: Data(text.utf8))
            #expect(values.frame.count == 4 && values.lines.allSatisfy { $0.x.count == $0.y.count })
        }
        let first = try JSONDecoder().decode(Values.self, from: Data(texts[0].utf8))
        #expect(first.lines.map(\.x.count) == [49, 49] && first.lines[0].y[0] == 5)
    }

    @Test("every color that charts use on a page is defined for light and for dark") func colors() throws {
        let html = try page { folder in
            try table.write(toFile: "\(folder)/runs.csv", atomically: true, encoding: .utf8)
            try writeRun("\(folder)/run", records(40) { $0.droppedRatio = Double($0.step % 7) / 10 })
            return ["\(folder)/runs.csv", "\(folder)/run"]
        }
        let used = Set(html.matches(of: /var\((--[a-z0-9-]+)\)/).map { String($0.1) })
        #expect(used.count > 10)
        for name in used { #expect(html.components(separatedBy: "\(name): #").count - 1 == 3, "\(name)") }
    }

    @Test("a study shows its runs, and its fit what it leaves over and what to train") func study() throws {
        let html = try page { folder in
            try table.write(toFile: "\(folder)/runs.csv", atomically: true, encoding: .utf8)
            return [folder]
        }
        #expect(html.contains("Loss over training FLOPs") && html.contains("E = 4"))
        #expect(html.components(separatedBy: "<circle").count - 1 == 12)
        try requireBalancedElements(html)
    }

    @Test("what a benchmark printed are figures with their units, and tables") func benchmark() throws {
        let sample = #"{"count":3,"highest":0.25,"lowest":0.125,"median":0.2}"#
        let answer =
            #"{"benchmark":"step","breakdown":[{"fraction":0.5,"name":"<attention>","seconds":\#(sample)}],"#
            + #""gemm_peak_flops":2.5e11,"mfu":0.712,"peak_memory_bytes":1500000000,"step_seconds":\#(sample)}"#
        let html = try page { folder in
            try "a note\n\(answer)\n".write(toFile: "\(folder)/step.json", atomically: true, encoding: .utf8)
            return ["\(folder)/step.json"]
        }
        for text in [
            "Benchmark: step", "250 GFLOP/s", "71.2 %", "1.5 GB", "200 ms (125 ms … 250 ms)", "&lt;attention&gt;",
            "50.0 %",
        ] { #expect(html.contains(text), "\(text)") }
        try requireBalancedElements(html)
    }

    @Test("what is no run, study, table or fit is refused by name") func refusals() throws {
        try inScratchFolder { folder in
            try "x".write(toFile: "\(folder)/notes.txt", atomically: true, encoding: .utf8)
            try "{}".write(toFile: "\(folder)/fit.json", atomically: true, encoding: .utf8)
            try "a,b\n1,2\n".write(toFile: "\(folder)/runs.csv", atomically: true, encoding: .utf8)
            for name in ["notes.txt", "fit.json", "runs.csv", "missing"] {
                let failure = #expect(throws: Failure.self, "\(name)") { try ReportInputs(["\(folder)/\(name)"]) }
                #expect(failure?.message.contains(name) == true)
            }
        }
    }

    /// Every element is closed where it was opened; HTML's void elements have no end.
    private func requireBalancedElements(_ html: String) throws {
        let void: Set = ["meta", "link", "!doctype"]
        // Scripts and style sheets are no markup.
        let markup = html.replacing(/(?s)<script[^>]*>.*?<\/script>|<style>.*?<\/style>/, with: "")
        var open: [Substring] = []
        for match in markup.matches(of: /<(\/?)([a-zA-Z0-9!]+)[^>]*?(\/?)>/) where !void.contains(String(match.2)) {
            if match.1 == "/" {
                #expect(open.popLast() == match.2)
            } else if match.3.isEmpty {
                open.append(match.2)
            }
        }
        #expect(open.isEmpty)
    }
}
