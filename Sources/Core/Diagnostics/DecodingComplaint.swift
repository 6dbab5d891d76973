/// What is wrong with JSON that could not be decoded, such as "`shape[1]` is not of type Int".
package func complaint(ofDecoding error: any Error) -> String { (error as? DecodingError)?.inWords ?? "\(error)" }

extension DecodingError {
    fileprivate var inWords: String {
        let (context, complaint): (Context, String) =
            switch self {
            case .typeMismatch(let type, let context): (context, "is not of type \(type)")
            case .valueNotFound(let type, let context): (context, "is null instead of \(type)")
            case .keyNotFound(let key, let context): (context, "has no `\(key.stringValue)`")
            case .dataCorrupted(let context): (context, context.debugDescription)
            @unknown default: (Context(codingPath: [], debugDescription: ""), "is not the JSON that was expected")
            }
        let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue.prefix(200))" }.joined()
        return path.isEmpty ? complaint : "`\(path.hasPrefix(".") ? String(path.dropFirst()) : path)` \(complaint)"
    }
}
