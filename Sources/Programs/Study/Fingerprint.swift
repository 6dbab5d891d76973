import Configuration
import Diagnostics
import Randomness

/// A digest of what determines a row's results: equal where they must be equal.
///
/// It counts what differs from the defaults, so that the rows of a table stay good when a later version knows more keys. A version that
/// changes what a default means makes other results under the same fingerprint; it has to count that here.
enum Fingerprint {
    /// Places, and what changes no number.
    private static let neutral = ["run.", "parallel.", "checkpoint.", "metrics.", "train.branches"]

    /// The keys that every configuration has, with values that stand for nothing.
    private static let required = [
        "data.train=text", "model.d_model=2", "model.layers=1", "model.heads=1", "model.context=1", "batch.tokens=1",
        "train.steps=1",
    ]

    /// The value of every other key where a configuration does not name it.
    private static let defaults: [String: String] = {
        do throws(Failure) {
            let document = try ConfigurationDocument(yaml: "{}", file: "defaults", overrides: required)
            let given = Set(required.map { $0.prefix { $0 != "=" } })
            let values = try RunConfiguration(document).values.filter { !given.contains($0.key[...]) }
            return Dictionary(uniqueKeysWithValues: values.map { ($0.key, $0.value) })
        } catch {
            preconditionFailure("the least that a configuration can say is refused: \(error)")
        }
    }()

    static func of(_ configuration: RunConfiguration) -> String {
        digest(ofSettingsOf: configuration) { key, value in
            !neutral.contains(where: key.hasPrefix) && defaults[key] != value
        }
    }

    /// Of those keys and values that count.
    static func digest(
        ofSettingsOf configuration: RunConfiguration, where isCounted: (String, String) -> Bool
    ) -> String {
        let lines = configuration.values.filter(isCounted).map { "\($0.key)=\($0.value)" }
        return hexadecimal(Randomness.digest(of: lines.joined(separator: "\n")))
    }
}
