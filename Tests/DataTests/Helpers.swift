import Configuration
import Data
import Diagnostics
import Foundation
import Randomness
import Testing

/// A folder of its own for one test, removed at the end.
final class TemporaryFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("corpora-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes `text` under `name`, making the folders in between, and returns the path.
    @discardableResult
    func write(_ text: String, to name: String) throws -> String {
        try write(Array(text.utf8), to: name)
    }

    @discardableResult
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let url = URL(fileURLWithPath: self(name))
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
        return url.path
    }

    func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: self(name)))) }
}

/// The same numbers every time, so that what fails once fails again.
struct TestRandom: RandomNumberGenerator {
    private let function: RandomFunction
    private var drawn: UInt64 = 0

    init(_ seed: UInt64) { function = RandomFunction(seed: seed, purpose: .tests) }

    mutating func next() -> UInt64 {
        drawn += 1
        return function.bits(drawn)
    }
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

func silent(_: String) {}

extension TokenDataset {
    var array: [Int] { (0..<count).map { self[$0] } }
}

extension DataConfiguration {
    /// Of one source.
    init(
        train: [String], validation: ValidationSplit = .none, tokenizer: TokenizerChoice = .automatic,
        textField: String? = nil
    ) {
        self.init(
            train: [DataSource(paths: train)], validation: validation, tokenizer: tokenizer, textField: textField)
    }
}

/// Prepares and opens in one go.
func corpus(
    _ train: [String], validation: ValidationSplit = .none, tokenizer: TokenizerChoice = .automatic,
    in folder: TemporaryFolder
) throws -> Corpus {
    let settings = DataConfiguration(train: train, validation: validation, tokenizer: tokenizer)
    try Corpus.prepare(settings: settings, directory: folder("run"), report: silent)
    return try Corpus.open(settings: settings, directory: folder("run"))
}
