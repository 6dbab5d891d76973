/// A line of a terminal, in pieces of one style.
struct StyledLine {
    enum Style: String {
        case plain = ""
        case bold = "1"
        case dim = "2"
        case training = "36"
        case heldOut = "35"
        case warning = "33"
    }

    private var pieces: [(text: String, style: Style)] = []

    init(_ text: String = "", _ style: Style = .plain) { add(text, style) }

    var count: Int { pieces.reduce(0) { $0 + $1.text.count } }

    mutating func add(_ text: String, _ style: Style = .plain) {
        if !text.isEmpty { pieces.append((text, style)) }
    }

    mutating func add(_ other: StyledLine) { pieces += other.pieces }

    /// Adds a bar of `columns` characters, of which `share` are full; none for what is no number.
    mutating func addBar(_ share: Double, of columns: Int, _ style: Style, _ glyphs: TerminalGlyphs) {
        let (full, empty) = glyphs == .unicode ? ("█", "░") : ("#", "-")
        let count = share > 0 ? Int(min(share, 1) * Double(columns)) : 0
        add(String(repeating: full, count: count), style)
        add(String(repeating: empty, count: columns - count), .dim)
    }

    /// Adds a column of one character for each share, from 0 to 1.
    mutating func addColumns(_ shares: [Double], _ style: Style, _ glyphs: TerminalGlyphs) {
        let heights = Array(glyphs == .unicode ? " ▁▂▃▄▅▆▇█" : " .:-=+*%#")
        let columns = shares.map { heights[$0 > 0 ? Int((min($0, 1) * Double(heights.count - 1)).rounded(.up)) : 0] }
        add(String(columns), style)
    }

    /// Adds blanks up to `column`.
    mutating func pad(to column: Int) { add(String(repeating: " ", count: max(0, column - count))) }

    /// The line without what is beyond `columns` characters.
    func cut(to columns: Int) -> StyledLine {
        var result = StyledLine(), left = columns
        for (text, style) in pieces where left > 0 {
            result.add(String(text.prefix(left)), style)
            left -= text.count
        }
        return result
    }

    /// The text alone.
    var text: String { pieces.map(\.text).joined() }

    /// The text with the codes that a terminal shows as colors.
    var escaped: String {
        pieces.map { $0.style == .plain ? $0.text : "\u{1B}[\($0.style.rawValue)m\($0.text)\u{1B}[0m" }.joined()
    }
}
