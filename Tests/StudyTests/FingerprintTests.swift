import Configuration
import Study
import Testing

@Suite("Fingerprints of rows") struct FingerprintTests {
    private func fingerprint(_ settings: String...) throws -> String {
        let yaml = """
            data: {train: text.txt, validation: tail 0.1}
            model: {d_model: 64, layers: 2, heads: 1, context: 256, experts: 4}
            batch: {tokens: 8192, micro_batch_tokens: 4096}
            train: {tokens: 2097152}
            """
        let document = try ConfigurationDocument(yaml: yaml, file: "row.yaml", overrides: settings)
        return try StudyRow("row", RunConfiguration(document), vocabulary: 1024).fingerprint
    }

    /// Tables of earlier versions hold such digests: a new key whose default changes nothing must leave it as it is.
    @Test("a fingerprint stays the same from version to version") func pinned() throws {
        let (bare, other) = (try fingerprint(), try fingerprint("optimizer.learning_rate=0.004", "seed=1"))
        #expect(bare == "1344e10709589c96")
        #expect(other == "acbae837398696ba")
    }

    @Test("a default that is written out counts as one that is not") func written() throws {
        let bare = try fingerprint()
        #expect(try fingerprint("routing.capacity_factor=1.25", "model.norm=rms", "model.top_k=1") == bare)
        #expect(
            try fingerprint(
                "run.directory=x", "parallel.threads_per_rank=2", "metrics.formats=csv", "checkpoint.keep=9") == bare)
    }

    @Test(
        "what changes results changes it",
        arguments: [
            "routing.capacity_factor=1", "model.experts=1", "seed=7", "precision=bfloat16", "reproducible=true",
            "data.validation=tail 0.2", "train.tokens=4194304", "batch.micro_batch_tokens=8192", "data.train=other.txt",
        ])
    func changed(setting: String) throws { #expect(try fingerprint(setting) != fingerprint()) }
}
