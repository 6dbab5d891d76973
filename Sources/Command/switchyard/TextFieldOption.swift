import ArgumentParser
import Configuration
import Diagnostics

/// `--text-field`, for commands that read texts: what `data.text_field` is for a run.
struct TextFieldOption: ParsableArguments {
    @Option(
        help: """
            The field of JSON lines, or the column of Parquet files, that holds the texts; `a.b` leads into an object or struct. \
            `auto`: `text`, or else `content`, `raw_content` or `body`.
            """)
    var textField = "auto"

    func validate() throws {
        do throws(Failure) {
            _ = try DataConfiguration.namedTextField(textField)
        } catch {
            throw ValidationError("--text-field \(error.message)")
        }
    }

    /// Nil if none was named.
    var named: String? { (try? DataConfiguration.namedTextField(textField)) ?? nil }
}
