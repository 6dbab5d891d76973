/// `text` with the characters that a terminal obeys instead of showing written as `\u{1B}`: control characters and those that
/// turn the direction of writing. Names of files, tensors and runs come from outside, so every message passes through here.
///
/// - Parameters:
///   - text: from anywhere
///   - keepingLines: whether line breaks and tabs stay, for a message of several lines; a name has none
/// - Returns: `text` itself if there is nothing to escape. Complexity: O(bytes)
package func visible(_ text: String, keepingLines: Bool = false) -> String {
    guard text.unicodeScalars.contains(where: { isObeyed($0, keepingLines) }) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
        if isObeyed(scalar, keepingLines) {
            result += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
        } else {
            result.unicodeScalars.append(scalar)
        }
    }
    return result
}

/// `text` as one word of a command for a shell: in quotes where it has characters that mean something there.
package func shellQuoted(_ text: String) -> String {
    let plain = text.unicodeScalars.allSatisfy {
        $0.properties.isAlphabetic || $0.properties.numericType != nil || "_./:=@%+,-".unicodeScalars.contains($0)
    }
    return plain && !text.isEmpty ? text : "'" + text.replacing("'", with: "'\\''") + "'"
}

private func isObeyed(_ scalar: Unicode.Scalar, _ keepingLines: Bool) -> Bool {
    switch scalar.value {
    case 0x09, 0x0A: !keepingLines
    case 0x00...0x1F, 0x7F...0x9F: true
    // Line and paragraph separators; marks, embeddings, overrides and isolates of direction.
    case 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
}
