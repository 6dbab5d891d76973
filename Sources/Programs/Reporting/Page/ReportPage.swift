import Charts
import Diagnostics

/// One HTML file with everything in it: it loads nothing, and is read without a network.
package struct ReportPage: Sendable {
    private let title: String
    private let sections: [PageSection]
    private let footer: String

    /// - Parameters:
    ///   - title: of the page
    ///   - sections: in their order
    ///   - footer: which program made the page, and when
    package init(title: String, _ sections: [PageSection], footer: String) {
        self.title = title
        self.sections = sections
        self.footer = footer
    }

    /// The page as HTML in UTF-8.
    package var html: String {
        var writer = PageWriter()
        let body = sections.enumerated().map { writer.section($1, number: $0) }.joined(separator: "\n")
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="generator" content="Switchyard">
            <link rel="icon" href="data:,">
            <title>\(escapedMarkup(title))</title>
            <style>
            \(pageStyle)
            </style>
            </head>
            <body>
            <header><h1>\(escapedMarkup(title))</h1>\(contents)<button id="theme" hidden>dark / light</button></header>
            <main>
            \(body)
            </main>
            <footer>\(escapedMarkup(footer))</footer>
            <script>
            \(pageScript)
            </script>
            </body>
            </html>

            """
    }

    /// Links to the sections, if there are several.
    private var contents: String {
        guard sections.count > 1 else { return "" }
        let links = sections.enumerated().map { "<a href=\"#section-\($0)\">\(escapedMarkup($1.title))</a>" }
        return "<nav>\(links.joined(separator: " "))</nav>"
    }
}

/// Writes sections; charts are numbered through the page.
private struct PageWriter {
    private var charts = 0

    mutating func section(_ section: PageSection, number: Int) -> String {
        var parts = ["<section id=\"section-\(number)\">", "<h2>\(escapedMarkup(section.title))</h2>"]
        if !section.facts.isEmpty {
            let facts = section.facts.map {
                "<div><dt>\(escapedMarkup($0.label))</dt><dd>\(escapedMarkup($0.value))</dd></div>"
            }
            parts.append("<dl class=\"facts\">\(facts.joined())</dl>")
        }
        parts += section.paragraphs.map { "<p>\(escapedMarkup($0))</p>" }
        parts += section.tables.map { "<h3>\(escapedMarkup($0.title))</h3>" + html($0.table) }
        if !section.figures.isEmpty { parts.append("<div class=\"figures\">") }
        for figure in section.figures { parts.append(html(figure)) }
        if !section.figures.isEmpty { parts.append("</div>") }
        parts += section.texts.map {
            "<details><summary>\(escapedMarkup($0.title))</summary><pre>\(escapedMarkup($0.text))</pre></details>"
        }
        return (parts + ["</section>"]).joined(separator: "\n")
    }

    private mutating func html(_ figure: Figure) -> String {
        let style = ChartStyle.page(charts)
        charts += 1
        let subtitles = [figure.chart.subtitle, figure.chart.y.title].filter { !$0.isEmpty }
        let table = figure.table.map { "<details><summary>Numbers</summary>\(html($0))</details>" } ?? ""
        return """
            <figure>
            <figcaption><h3>\(escapedMarkup(figure.chart.title))</h3>\(subtitles.map { "<p>\(escapedMarkup($0))</p>" }.joined())\(legend(figure.chart, style))</figcaption>
            \(figure.chart.svg(in: style))<script type="application/json">\(ChartValues(figure.chart, style).json)</script>
            \(table)</figure>
            """
    }

    private func legend(_ chart: Chart, _ style: ChartStyle) -> String {
        let keys = chart.keys
        guard !keys.isEmpty else { return "" }
        let entries = keys.map {
            "<span class=\"key\"><i style=\"background:\(style.text(of: $0.color))\"></i>\(escapedMarkup($0.text))</span>"
        }
        return "<div class=\"keys\">\(entries.joined())</div>"
    }

    private func html(_ table: PageTable) -> String {
        let head = table.header.map { "<th>\(escapedMarkup($0))</th>" }.joined()
        let rows = table.rows.map { row in
            "<tr>" + row.map { "<td>\(escapedMarkup($0))</td>" }.joined() + "</tr>"
        }
        return
            "<div class=\"\(table.endsInProse ? "table prose" : "table")\"><table><thead><tr>\(head)</tr></thead><tbody>\(rows.joined())</tbody></table></div>"
    }
}
