import Diagnostics
import Testing

@Suite("Tables and lines for terminals") struct TablesTests {
    private var table: TextTable {
        var table = TextTable(["choice", "N_act", "tokens", "loss"])
        table.add(["E = 1", "10M", "1B", "3.25"])
        table.add(["E = 16", "9M", "12B", "3.125"])
        return table
    }

    @Test("a table that is wider than the terminal is continued below, with its first column again")
    func continued() {
        let whole = "choice  N_act  tokens   loss\nE = 1     10M      1B   3.25\nE = 16     9M     12B  3.125"
        #expect(table.text == whole && table.text(columns: 28) == whole)
        #expect(
            table.text(columns: 27) == """
                choice  N_act  tokens
                E = 1     10M      1B
                E = 16     9M     12B

                choice   loss
                E = 1    3.25
                E = 16  3.125
                """)
        // Narrower than two columns: never less than these.
        #expect(table.text(columns: 1).split(separator: "\n\n").count == 3)
        for columns in 15...40 {
            #expect(table.text(columns: columns).split(separator: "\n").allSatisfy { $0.count <= columns })
        }
    }

    @Test("long values go on below their beginning, words stay whole, and nothing is lost") func hanging() {
        let rows = [
            (label: "a", value: "short"),
            (label: "longer", value: "five words, one of them incomprehensibilities"),
        ]
        #expect(labeledLines(rows) == "a       short\nlonger  five words, one of them incomprehensibilities")
        #expect(
            labeledLines(rows, columns: 28) == """
                a       short
                longer  five words, one of
                        them
                        incomprehensibilities
                """)
        for columns in 1...60 {
            let words = labeledLines(rows, columns: columns).split { $0 == " " || $0 == "\n" }
            #expect(words.joined(separator: " ") == "a short longer five words, one of them incomprehensibilities")
        }
    }
}
