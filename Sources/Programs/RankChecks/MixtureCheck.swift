import Collectives
import Configuration
import Data
import Foundation

/// Three sources of documents, of weights that no micro-batch divides evenly, with attention that ends where they do.
func mixture(on world: any Communicator, _ expectations: Expectations) throws {
    try inSharedFolder(world) { folder in
        var trial = LayoutTrial(reproducible: true, steps: 6, masksDocuments: true)
        let mixture = try sharedMixture(in: folder, of: [5, 2, 1], on: world)
        trial.mixture = mixture
        try exactLayouts(trial, on: world, expectations)
        let losses = try trial.reference().trace.lossesBySource
        for source in mixture.parts.indices {
            expectations.expect(losses.contains { $0[source] != nil }, "source \(source) has no loss in any step")
        }
    }
}

/// Texts of other words for each weight, tokenized by rank 0. **Collective**.
private func sharedMixture(
    in folder: String, of weights: [Double], on world: any Communicator
) throws -> Mixture {
    var sources: [DataSource] = []
    for (index, weight) in weights.enumerated() {
        let path = "\(folder)/\(index).jsonl", word = ["one ", "another ", "third "][index % 3]
        if world.rank == 0 {
            let lines = (0..<60).map { "{\"text\": \"\(String(repeating: word, count: 1 + $0 % 4))\($0).\"}\n" }
            try Data(lines.joined().utf8).write(to: URL(filePath: path))
        }
        sources.append(DataSource(paths: [path], amount: .weight(weight, repeats: true)))
    }
    let settings = DataConfiguration(train: sources)
    if world.rank == 0 { try Corpus.prepare(settings: settings, directory: "\(folder)/tokens") { _ in } }
    try world.barrier()
    let corpus = try Corpus.open(settings: settings, directory: "\(folder)/tokens")
    return try Mixture(corpus.train, of: sources, context: 16, seed: 5)
}
