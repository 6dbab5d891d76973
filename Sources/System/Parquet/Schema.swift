/// The columns of a Parquet file: the leaves of its schema in their order, with what reading them needs.
struct Schema {
    /// A leaf.
    struct Column {
        /// The names from the top down, with points between them.
        var path: String
        var type: Int
        /// What the bytes of a column of byte arrays mean, as old writers and new ones say it; nil where nothing is said.
        var convertedType: Int?
        var logicalType: Int?
        /// The definition level of a value that is not null: how many optional and repeated elements lead to it.
        var definitionLevel = 0
        /// Whether a row may have several values.
        var isRepeated = false
    }

    /// An element as the file lists it.
    private struct Element {
        var name = ""
        var type: Int?
        var repetition = 0
        var children = 0
        var convertedType: Int?
        var logicalType: Int?
    }

    /// Elements above each other, far more than data sets have.
    private static let deepest = 60

    private(set) var columns: [Column] = []

    /// - Parameter reader: at the list of elements, which it leaves
    init(_ reader: inout ThriftReader) throws(ParquetError) {
        let (count, kind) = try reader.list()
        guard count > 0, kind == .structure else { throw .damaged("it has no schema") }
        let root = try Self.element(&reader)
        var above = [(element: root, left: root.children, path: "", levels: (definition: 0, isRepeated: false))]
        for _ in 1..<count {
            let element = try Self.element(&reader)
            while let last = above.last, last.left == 0 { above.removeLast() }
            guard let parent = above.last, above.count < Self.deepest else { throw Self.misshapen }
            above[above.count - 1].left -= 1
            let path = parent.path.isEmpty ? element.name : "\(parent.path).\(element.name)"
            let isRepeated = parent.levels.isRepeated || element.repetition == 2
            let definition = parent.levels.definition + (element.repetition == 0 ? 0 : 1)
            if let type = element.type {
                columns.append(
                    Column(
                        path: path, type: type, convertedType: element.convertedType, logicalType: element.logicalType,
                        definitionLevel: definition, isRepeated: isRepeated))
            } else {
                above.append((element, element.children, path, (definition, isRepeated)))
            }
        }
        guard above.allSatisfy({ $0.left == 0 }) else { throw Self.misshapen }
    }

    private static let misshapen = ParquetError.damaged("its schema is no tree of columns")

    private static func element(_ reader: inout ThriftReader) throws(ParquetError) -> Element {
        var element = Element(), last = 0
        while let field = try reader.field(after: &last) {
            switch (field.id, field.kind) {
            case (1, .int32): element.type = try reader.integer()
            case (3, .int32): element.repetition = try reader.integer()
            case (4, .binary): element.name = try reader.text()
            case (5, .int32): element.children = try reader.integer()
            case (6, .int32): element.convertedType = try reader.integer()
            case (10, .structure): element.logicalType = try unionCase(&reader)
            default: try reader.skip(field.kind)
            }
        }
        guard (0...2).contains(element.repetition), element.children >= 0 else {
            throw misshapen
        }
        return element
    }

    /// Which of its fields a union has.
    private static func unionCase(_ reader: inout ThriftReader) throws(ParquetError) -> Int? {
        var last = 0, found: Int?
        while let field = try reader.field(after: &last) {
            found = field.id
            try reader.skip(field.kind)
        }
        return found
    }
}

extension Schema {
    private static let typeNames = [
        "truth values", "32-bit integers", "64-bit integers", "96-bit times", "32-bit floating-point numbers",
        "64-bit floating-point numbers", "byte arrays", "byte arrays of one length",
    ]
    private static let byteArray = 6
    /// STRING, ENUM and JSON, by their numbers in `ConvertedType` and in `LogicalType`.
    private static let textTypes: (converted: Set<Int>, logical: Set<Int>) = ([0, 4, 19], [1, 4, 12])

    /// Where in `columns` the column of texts is: the first of `names` that the file has at all.
    /// - Throws: what is wrong if it has none of them, or if that one holds no texts
    func textColumn(inFirstOf names: [String]) throws(ParquetError) -> Int {
        for name in names {
            if let index = columns.firstIndex(where: { $0.path == name }) {
                try requireTexts(columns[index])
                return index
            }
            let inner = columns.filter { $0.path.hasPrefix("\(name).") }
            guard inner.isEmpty else { throw Self.isGroup(name, inner) }
        }
        throw ParquetError(
            complaint: "there is no column `\(names.first ?? "")`; the columns are \(Self.inWords(columns))",
            advice: "name the one with the texts: data.text_field (--text-field)")
    }

    private func requireTexts(_ column: Column) throws(ParquetError) {
        let advice = "name a column of strings: data.text_field (--text-field)"
        guard !column.isRepeated else {
            throw .unsupported(
                "the column `\(column.path)` has several values a row, and a document is one value", advice: advice)
        }
        guard column.type == Self.byteArray else {
            let kind = Self.typeNames.indices.contains(column.type) ? Self.typeNames[column.type] : "an unknown type"
            throw .unsupported("the column `\(column.path)` holds \(kind), not strings", advice: advice)
        }
        guard column.convertedType.map(Self.textTypes.converted.contains) ?? true,
            column.logicalType.map(Self.textTypes.logical.contains) ?? true
        else { throw .unsupported("the column `\(column.path)` holds byte arrays that are no strings", advice: advice) }
    }

    private static func isGroup(_ name: String, _ inner: [Column]) -> ParquetError {
        let isList = inner.allSatisfy { $0.isRepeated }
        return .unsupported(
            isList
                ? "the column `\(name)` has several values a row, and a document is one value"
                : "the column `\(name)` is a struct of \(inWords(inner))",
            advice: "name a column of strings: data.text_field (--text-field)")
    }

    private static func inWords(_ columns: [Column]) -> String {
        let shown = columns.prefix(12).map { "`\(String($0.path.prefix(80)))`" }
        return (shown + (columns.count > 12 ? ["…"] : [])).joined(separator: ", ")
    }
}
