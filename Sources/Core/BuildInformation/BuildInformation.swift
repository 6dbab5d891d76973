/// What this program was built from.
package enum BuildInformation {
    /// The version, which is that of the latest section of `CHANGELOG.md`.
    package static let version = "0.1.0"

    /// The commit that was built, followed by " with changes" if files differed from it; nil outside a repository.
    package static var commit: String? { revision.isEmpty ? nil : revision }

    /// The version and the commit, `0.1.0 (0123456789ab)`, as checkpoints record them.
    package static var identity: String { commit.map { "\(version) (\($0))" } ?? version }
}
