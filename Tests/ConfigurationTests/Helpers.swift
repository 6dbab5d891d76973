import Configuration
import Diagnostics

func document(_ yaml: String, _ overrides: String...) throws -> ConfigurationDocument {
    try ConfigurationDocument(yaml: yaml, file: "run.yaml", overrides: overrides)
}

/// The failure that `body` throws.
func failure(of body: () throws -> Void) -> Failure? {
    do {
        try body()
        return nil
    } catch {
        return error as? Failure
    }
}
