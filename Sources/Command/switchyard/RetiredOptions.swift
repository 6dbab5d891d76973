import ArgumentParser

/// Refuses an option of earlier versions, which the command declares hidden, and gives its present name.
func requireNotRetired(_ value: String?, _ old: String, now current: String) throws {
    guard value != nil else { return }
    throw ValidationError("\(old) is an option of an earlier version; write \(current), which takes the same values")
}
