import ArgumentParser
import Configuration
import Diagnostics

/// `--text-field`, for commands that read texts: what `data.text_field` is for a run.
struct TextFieldOption: ParsableArguments {
    @Option(
        help: "The field of JSON lines that holds the texts; `a.b` leads into an object. `auto`: text, or a usual name."
    )
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
