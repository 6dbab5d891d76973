import Charts
import Diagnostics

/// The characters that a terminal can show.
enum TerminalGlyphs: Sendable {
    case unicode, ascii
}

/// Curves in the cells of a terminal: with Unicode eight dots a cell (braille patterns), else a letter.
struct TerminalCurves {
    struct Curve {
        let points: [(x: Double, y: Double)]
        let style: StyledLine.Style
        /// Without Unicode.
        let letter: Character
    }

    let columns, rows: Int
    let glyphs: TerminalGlyphs
    private let x, y: Axis
    private let curves: [Curve]

    /// Columns of the labels at the left.
    private static let margin = 9

    /// - Parameter covering: values that must be visible; nil: all
    init(_ curves: [Curve], columns: Int, rows: Int, glyphs: TerminalGlyphs, covering: [Double]? = nil) {
        self.columns = max(1, columns - Self.margin)
        self.rows = max(1, rows)
        self.glyphs = glyphs
        self.curves = curves
        let points = curves.flatMap(\.points)
        x = Axis("", .linear, covering: points.map(\.x), room: 0)
        y = Axis("", .linear, covering: covering ?? points.map(\.y), room: 0)
    }

    /// The rows, top to bottom, with the ends of the range at the left.
    var lines: [StyledLine] {
        let cells = drawn()
        return (0..<rows).map { row in
            let value = row == 0 ? y.range.upperBound : row == rows - 1 ? y.range.lowerBound : nil
            let label = value.map { significant($0, 4) } ?? ""
            var line = StyledLine(
                String(repeating: " ", count: max(0, Self.margin - 2 - label.count)) + label + " ", .dim)
            line.add(glyphs == .unicode ? "│" : "|", .dim)
            for cell in cells[row] { line.add(String(cell.character), cell.style) }
            return line
        }
    }

    private struct Cell {
        var dots: UInt8 = 0
        var character: Character = " "
        var style = StyledLine.Style.plain
    }

    private func drawn() -> [[Cell]] {
        var cells = [[Cell]](repeating: [Cell](repeating: Cell(), count: columns), count: rows)
        let (width, height) = glyphs == .unicode ? (2 * columns, 4 * rows) : (columns, rows)
        for curve in curves {
            for (x, y) in raster(curve.points, width, height) {
                if glyphs == .unicode {
                    cells[y / 4][x / 2].dots |= Self.dot(x % 2, y % 4)
                    cells[y / 4][x / 2].style = curve.style
                } else {
                    cells[y][x] = Cell(character: curve.letter, style: curve.style)
                }
            }
        }
        guard glyphs == .unicode else { return cells }
        for row in cells.indices {
            for column in cells[row].indices where cells[row][column].dots != 0 {
                let scalar = Unicode.Scalar(0x2800 + UInt32(cells[row][column].dots))
                cells[row][column].character = scalar.map(Character.init) ?? "*"
            }
        }
        return cells
    }

    /// The bit of a braille pattern.
    private static func dot(_ x: Int, _ y: Int) -> UInt8 {
        y == 3 ? (x == 0 ? 0x40 : 0x80) : 1 << UInt8(y + 3 * x)
    }

    /// Every column of dots that a curve crosses, with the row there; gaps between two points are filled.
    private func raster(_ points: [(x: Double, y: Double)], _ width: Int, _ height: Int) -> [(Int, Int)] {
        // A value far outside is as good as one just outside.
        func place(_ value: Double, _ axis: Axis, _ count: Int) -> Double {
            min(max(axis.position(value), -2), 3) * Double(count - 1)
        }
        var found: [(Int, Int)] = [], last: (x: Double, y: Double)?
        for point in points where point.x.isDrawable && point.y.isDrawable {
            let next = (x: place(point.x, x, width), y: Double(height - 1) - place(point.y, y, height))
            let start = last ?? next
            let steps = min(width + height, max(1, Int(max(abs(next.x - start.x), abs(next.y - start.y)).rounded(.up))))
            for step in 0...steps {
                let part = Double(step) / Double(steps)
                let (x, y) = (start.x + part * (next.x - start.x), start.y + part * (next.y - start.y))
                guard y > -1, y < Double(height) else { continue }
                found.append((min(max(Int(x.rounded()), 0), width - 1), min(max(Int(y.rounded()), 0), height - 1)))
            }
            last = next
        }
        return found
    }
}
