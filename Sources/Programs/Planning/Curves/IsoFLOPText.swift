import Diagnostics

extension IsoFLOP {
    /// The analysis for people.
    package var text: String {
        var parts = [
            "Lowest losses at equal compute: a parabola in ln N_act for every budget and choice of experts\n"
                + "  Hoffmann et al. 2022, arXiv:2203.15556, section 3.2\n\n" + optimaTable.text
        ]
        if !growths.isEmpty {
            parts.append("How they grow with the FLOPs C\n\n" + growthTable.text)
        }
        if !surfaces.isEmpty { parts.append(surfaceTables) }
        if !unused.isEmpty {
            parts.append(
                "Not used:\n"
                    + unused.map { group in
                        "  \(scientific(group.flops)) FLOPs, \(group.kind.text), "
                            + "\(group.runs) run\(group.runs == 1 ? "" : "s"): \(group.reason)"
                    }.joined(separator: "\n"))
        }
        return parts.joined(separator: "\n\n")
    }

    private var optimaTable: TextTable {
        var table = TextTable([
            "choice", "FLOPs", "runs", "N_act", "80 % interval", "tokens", "D/N_act", "loss", "RMSE",
        ])
        for optimum in optima {
            table.add([
                optimum.kind.text, scientific(optimum.flops), "\(optimum.runs)", shortCount(optimum.active),
                optimum.activeInterval.map { "\(shortCount($0.lowerBound)) … \(shortCount($0.upperBound))" } ?? "–",
                shortCount(optimum.tokens), significant(optimum.tokens / optimum.active, 3),
                decimals(optimum.loss, 4), significant(optimum.error, 2),
            ])
        }
        return table
    }

    private var growthTable: TextTable {
        var table = TextTable(["choice", "", "law", "80 % interval of the exponent", "budgets"])
        for growth in growths {
            for (name, rule) in [("N_act", growth.active), ("D", growth.tokens)] {
                table.add([
                    growth.kind.text, name, rule.words(of: ["flops": "C"]),
                    rule.intervals["flops"].map(interval) ?? "–", "\(rule.points)",
                ])
            }
        }
        return table
    }

    private var surfaceTables: String {
        let tables = surfaces.map { surface in
            var table = TextTable(["sparsity", "N_total of lowest loss", "loss"])
            for optimum in surface.optima {
                table.add([
                    significant(optimum.sparsity, 4), optimum.total.map(shortCount) ?? "not between the runs",
                    optimum.total.map { decimals(surface.loss(total: $0, sparsity: optimum.sparsity), 4) } ?? "–",
                ])
            }
            return
                "\(scientific(surface.flops)) FLOPs, \(surface.runs) runs, RMSE \(significant(surface.error, 3)) nats\n"
                + table.text
        }
        return "Surfaces of degree (2, 2, 2) in ln N_total and −ln(1 − S)\n"
            + "  Abnar et al. 2025, arXiv:2501.12370\n\n" + tables.joined(separator: "\n\n")
    }
}

extension PowerRule {
    /// `k · C^a`
    ///
    /// - Parameter symbols: what formulas call each x; in their order of names
    func words(of symbols: KeyValuePairs<String, String>) -> String {
        symbols.reduce(significant(coefficient, 4)) { text, symbol in
            exponents[symbol.key].map { "\(text)·\(symbol.value)^\(significant($0, 4))" } ?? text
        }
    }
}

/// The ends of an interval in words.
func interval(_ ends: [Double]) -> String { ends.map { significant($0, 4) }.joined(separator: " … ") }
