package import Diagnostics

/// The path that a user means by `text`: `$NAME` and `${NAME}` stand for variables of the environment, `~` at the beginning
/// for the home directory, `~NAME` for that of a user, `$$` for a dollar sign. A dollar sign before anything else stands
/// for itself, and values are not expanded again.
///
/// - Parameter variables: looks a variable up; the environment if not given
/// - Throws: `configuration`, because it is the environment that lacks something, naming a variable or user that is not there,
///   or a brace that does not close
package func expandedPath(
    _ text: String, variables: (String) -> String? = environmentVariable
) throws(Failure) -> String {
    let path = try replacingVariables(of: Array(text.utf8), in: text, variables)
    guard path.first == UInt8(ascii: "~") else { return String(decoding: path, as: UTF8.self) }
    let end = path.firstIndex(of: UInt8(ascii: "/")) ?? path.count
    let user = String(decoding: path[1..<end], as: UTF8.self), rest = String(decoding: path[end...], as: UTF8.self)
    if user.isEmpty {
        guard let home = variables("HOME"), !home.isEmpty else {
            throw Failure(
                .configuration, "`\(text)`: HOME is not set, so `~` stands for nothing", advice: "write the path out")
        }
        return home.hasSuffix("/") && rest.hasPrefix("/") ? home.dropLast() + rest : home + rest
    }
    guard let home = homeDirectory(of: user) else {
        throw Failure(
            .configuration, "`\(text)`: there is no user `\(user)`, so `~\(user)` stands for nothing",
            advice: "write `./~\(user)` for a file of that name, or write the path out")
    }
    return home + rest
}

/// The text whose expansion is `path` itself.
package func escapedPath(_ path: String) -> String {
    let escaped = path.replacing("$", with: "$$")
    return escaped.hasPrefix("~") ? "./" + escaped : escaped
}

package func environmentVariable(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
}

private func replacingVariables(
    of bytes: [UInt8], in text: String, _ variables: (String) -> String?
) throws(Failure) -> [UInt8] {
    let dollar = UInt8(ascii: "$")
    var path: [UInt8] = [], place = 0
    while place < bytes.count {
        guard bytes[place] == dollar, place + 1 < bytes.count else {
            path.append(bytes[place])
            place += 1
            continue
        }
        if bytes[place + 1] == dollar {
            path.append(dollar)
            place += 2
        } else if let (name, end) = try variable(in: bytes, at: place + 1, of: text) {
            guard let value = variables(name) else {
                throw Failure(
                    .configuration, "`\(text)`: the environment variable \(name) is not set",
                    advice: "export it, or write the path out; `$$` is a dollar sign")
            }
            path += Array(value.utf8)
            place = end
        } else {
            path.append(dollar)
            place += 1
        }
    }
    return path
}

/// The variable named at `start`, behind the dollar sign, and where its name ends; nil if none is.
private func variable(
    in bytes: [UInt8], at start: Int, of text: String
) throws(Failure) -> (name: String, end: Int)? {
    let isBraced = bytes[start] == UInt8(ascii: "{")
    let first = isBraced ? start + 1 : start
    var end = first
    while end < bytes.count, isPartOfName(bytes[end], first: end == first) { end += 1 }
    let name = String(decoding: bytes[first..<end], as: UTF8.self)
    guard isBraced else { return name.isEmpty ? nil : (name, end) }
    guard !name.isEmpty, end < bytes.count, bytes[end] == UInt8(ascii: "}") else {
        throw Failure(
            .configuration, "`\(text)`: expected `${NAME}` with the name of an environment variable",
            advice: "forms such as `${NAME:-default}` are not expanded; `$$` is a dollar sign")
    }
    return (name, end + 1)
}

private func isPartOfName(_ byte: UInt8, first: Bool) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): !first
    default: false
    }
}

private func homeDirectory(of user: String) -> String? {
    guard let entry = unsafe getpwnam(user), let home = unsafe entry.pointee.pw_dir else { return nil }
    return unsafe String(cString: home)
}
