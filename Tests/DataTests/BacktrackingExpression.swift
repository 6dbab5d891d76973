/// A small regular-expression engine over characters: it backtracks, as those do that define pre-tokens, and knows what their
/// patterns use. The oracle of the splitters, which know no expressions.
struct BacktrackingExpression {
    private indirect enum Node {
        case set((Unicode.Scalar) -> Bool)
        case sequence([Node])
        case choice([Node])
        /// Takes as many as it can; gives some back unless it is possessive.
        case repeated(Node, ClosedRange<Int>, isPossessive: Bool)
        case notFollowed(by: Node)
        case end
    }

    private let root: Node

    init(_ pattern: String) {
        var parser = Parser(Array(pattern.unicodeScalars))
        root = parser.choice(ignoringCase: false)
    }

    /// The matches one after the other, and what is between them.
    func cut(_ text: [Unicode.Scalar]) -> [[Unicode.Scalar]] {
        var result: [[Unicode.Scalar]] = [], start = 0, unmatched = 0
        while start < text.count {
            guard let end = match(root, text, start, then: { $0 }), end > start else {
                start += 1
                continue
            }
            if unmatched < start { result.append(Array(text[unmatched..<start])) }
            result.append(Array(text[start..<end]))
            (start, unmatched) = (end, end)
        }
        return unmatched < text.count ? result + [Array(text[unmatched...])] : result
    }

    private func match(_ node: Node, _ text: [Unicode.Scalar], _ place: Int, then next: (Int) -> Int?) -> Int? {
        switch node {
        case .set(let holds): return place < text.count && holds(text[place]) ? next(place + 1) : nil
        case .sequence(let nodes):
            guard let first = nodes.first else { return next(place) }
            return match(first, text, place) { match(.sequence(Array(nodes.dropFirst())), text, $0, then: next) }
        case .choice(let nodes):
            for node in nodes { if let end = match(node, text, place, then: next) { return end } }
            return nil
        case .repeated(let node, let counts, let isPossessive):
            guard isPossessive else { return greedy(node, counts, text, place, then: next) }
            return greedy(node, counts, text, place, then: { $0 }).flatMap(next)
        case .notFollowed(let node): return match(node, text, place, then: { $0 }) == nil ? next(place) : nil
        case .end: return place == text.count ? next(place) : nil
        }
    }

    private func greedy(
        _ node: Node, _ counts: ClosedRange<Int>, _ text: [Unicode.Scalar], _ place: Int, then next: (Int) -> Int?
    ) -> Int? {
        if counts.upperBound > 0 {
            let rest = max(0, counts.lowerBound - 1)...(counts.upperBound - 1)
            if let end = match(node, text, place, then: { greedy(node, rest, text, $0, then: next) }) { return end }
        }
        return counts.lowerBound == 0 ? next(place) : nil
    }

    private struct Parser {
        private let pattern: [Unicode.Scalar]
        private var place = 0

        init(_ pattern: [Unicode.Scalar]) { self.pattern = pattern }

        private mutating func takes(_ text: String) -> Bool {
            guard pattern[place...].starts(with: text.unicodeScalars) else { return false }
            place += text.unicodeScalars.count
            return true
        }

        mutating func choice(ignoringCase: Bool) -> Node {
            var nodes: [Node] = []
            repeat {
                var sequence: [Node] = []
                while place < pattern.count, pattern[place] != "|", pattern[place] != ")" {
                    let atom = atom(ignoringCase)
                    sequence.append(quantified(atom))
                }
                nodes.append(.sequence(sequence))
            } while takes("|")
            return .choice(nodes)
        }

        private mutating func quantified(_ node: Node) -> Node {
            let counts: ClosedRange<Int>
            if takes("?") {
                counts = 0...1
            } else if takes("*") {
                counts = 0...10_000
            } else if takes("+") {
                counts = 1...10_000
            } else if takes("{1,3}") {
                counts = 1...3
            } else {
                return node
            }
            return .repeated(node, counts, isPossessive: takes("+"))
        }

        private mutating func atom(_ ignoringCase: Bool) -> Node {
            if takes("(?i:") { return group(ignoringCase: true) }
            if takes("(?!") { return .notFollowed(by: group(ignoringCase: false)) }
            if takes("$") { return .end }
            if takes("[^") {
                let members = members(ignoringCase)
                return .set { scalar in !members.contains { $0(scalar) } }
            }
            if takes("[") {
                let members = members(ignoringCase)
                return .set { scalar in members.contains { $0(scalar) } }
            }
            return .set(member(ignoringCase))
        }

        private mutating func group(ignoringCase: Bool) -> Node {
            let node = choice(ignoringCase: ignoringCase)
            precondition(takes(")"))
            return node
        }

        private mutating func members(_ ignoringCase: Bool) -> [(Unicode.Scalar) -> Bool] {
            var members: [(Unicode.Scalar) -> Bool] = []
            while !takes("]") { members.append(member(ignoringCase)) }
            return members
        }

        private mutating func member(_ ignoringCase: Bool) -> (Unicode.Scalar) -> Bool {
            if takes("\\r") { return { $0 == "\r" } }
            if takes("\\n") { return { $0 == "\n" } }
            if takes("\\s") { return \.properties.isWhitespace }
            if takes("\\S") { return { !$0.properties.isWhitespace } }
            if takes("\\p{") {
                let end = pattern[place...].firstIndex(of: "}")!
                let name = String(String.UnicodeScalarView(pattern[place..<end]))
                place = end + 1
                return { category($0).hasPrefix(name) }
            }
            let literal = pattern[place]
            precondition(!"\\.^".unicodeScalars.contains(literal))
            place += 1
            return { ignoringCase ? folded($0) == folded(literal) : $0 == literal }
        }
    }
}

/// Unicode's simple case folding, for the letters of the patterns.
private func folded(_ scalar: Unicode.Scalar) -> String {
    scalar == "\u{17F}" ? "s" : scalar.properties.lowercaseMapping
}

/// The general category in Unicode 16.0, by its short name; only the first letter where no pattern asks for the second.
private func category(_ scalar: Unicode.Scalar) -> String {
    guard let age = scalar.properties.age, age <= (16, 0) else { return "Cn" }
    if scalar == "\u{295}" { return "Ll" }
    return switch scalar.properties.generalCategory {
    case .uppercaseLetter: "Lu"
    case .lowercaseLetter: "Ll"
    case .titlecaseLetter: "Lt"
    case .modifierLetter: "Lm"
    case .otherLetter: "Lo"
    case .nonspacingMark, .spacingMark, .enclosingMark: "M"
    case .decimalNumber, .letterNumber, .otherNumber: "N"
    default: "other"
    }
}
