import Diagnostics
import Foundation
import Planning
import Platform
import Testing

@Suite struct RunTableTests {
    static let header = "n_active,n_total,tokens,flops,experts,granularity,top_k,loss"

    private func read(_ text: String, _ laws: [LawMetadata] = [JointLaw.metadata]) throws -> [RunMeasurement] {
        try runTable(csv: text, file: "runs.csv", for: RunNeeds(laws)).records
    }

    private func refuse(_ text: String, _ laws: [LawMetadata] = [JointLaw.metadata], saying words: String...) {
        #expect { try read(text, laws) } throws: { error in
            guard let failure = error as? Failure, failure.status == .data else { return false }
            return words.allSatisfy(failure.description.contains)
        }
    }

    @Test func readsTablesAsSpreadsheetsWriteThem() throws {
        let plain = try read("\(Self.header)\n3.1e8,5e9,7e9,1.3e19,32,2,1,2.71\n7e7,7e7,1e9,,1,,,3.5\n")
        #expect(plain.count == 2)
        #expect(plain[0].loss == 2.71 && plain[0].source == "runs.csv:2")
        let expected = ScalePoint(active: 3.1e8, total: 5e9, tokens: 7e9, experts: 32, granularity: 2, flops: 1.3e19)
        #expect(plain[0].point == expected)
        #expect(plain[1].point.granularity == 1 && plain[1].point.topK == 1)
        let other = try read(
            "\u{FEFF}Loss ; tokens;experts;\"n_active\";comment\r\n\"2.5\";1e9;4;1e8;\"a, b\"\r\n\r\n",
            [JointLaw.metadata]
        )
        #expect(other.count == 1 && other[0].loss == 2.5 && other[0].point.experts == 4)
    }

    @Test func denseTablesNeedOneCountOnly() throws {
        let runs = try read("n_total,tokens,loss\n1e8,1e9,3\n", [ChinchillaLaw.metadata])
        #expect(runs[0].point.active == 1e8)
    }

    @Test func namesWhatIsMissing() {
        refuse("n_active,n_total,tokens,experts\n1,2,3,4\n", saying: "runs.csv: the header has no `loss`", "columns")
        refuse("n_active,tokens,experts,Los\n1,2,3,4\n", saying: "is `los` the loss? rename it")
        refuse("n_active,n_total,experts,loss\n1e8,1e8,1,3\n", saying: "runs.csv:2: no `tokens`", "law `joint` needs")
        refuse("n_active,tokens,loss\n1e8,1e9,3\n", saying: "no `experts`")
        refuse("n_active,tokens,experts,loss\n1e8,1e9,8,3\n", [SparsityLaw.metadata], saying: "no `n_total`")
        refuse("n_active,n_total,tokens,loss\n1e8,1e8,1e9,3\n", [FineGrainedLaw.metadata], saying: "no `granularity`")
        refuse("n_active,n_total,tokens,experts,loss\n1e8,,1e9,1,3\n1e8,1e8,1e9,1,\n", saying: "runs.csv:3: no `loss`")
    }

    @Test func namesWhatIsWrong() {
        let start = "n_active,n_total,tokens,experts,loss\n"
        refuse(start + "1e8,1e8,1e9,1,-3\n", saying: "runs.csv:2: `loss` is -3.0", "above zero", "diverged")
        refuse(start + "1e8,1e8,1e9,1,3\n1e8,1e8,1e9,1,0\n", saying: "runs.csv:3: `loss` is 0.0")
        refuse(start + "1e8,1e8,1e9,1,nan\n", saying: "`loss` is nan")
        refuse(start + "1e8,1e8,1e9,1,3e30\n", saying: "runs.csv:2: `loss` is 3e+30", "at most 1000")
        refuse(start + "1e8,1e8,1e9,1,inf\n", saying: "`loss` is inf")
        refuse(start + "1e8,1e8,1e9,0.5,3\n", saying: "`experts` is 0.5", "from 1 on")
        refuse(start + "1e8,1e8,many,1,3\n", saying: "runs.csv:2: `tokens` is `many`, which is no number")
        refuse(start + "2e8,1e8,1e9,1,3\n", saying: "more than n_total")
        let sound = "1e8,1e8,1e9,1,3\n"
        refuse(start + "1e8,1e8,1e9,1,3,4\n", saying: "runs.csv:2: 6 values under 5 column names")
        refuse(
            start + sound + sound + "1e8,1e8,1e9,1,3,4,5\n" + sound, saying: "runs.csv:4: 7 values under 5 column names"
        )
        refuse(start + "\n" + sound + "1e8,1e8,1e9,1,0\n", saying: "runs.csv:4: `loss` is 0.0")
        let noted = "n_active,n_total,tokens,experts,loss,note\n"
        refuse(noted + "1e8,1e8,1e9,1,3,\"two\nlines\"\n1e8,1e8,1e9,1,0,\n", saying: "runs.csv:4: `loss` is 0.0")
        refuse("loss,tokens,loss\n1,2,3\n", saying: "`loss` is there twice")
        refuse(start, saying: "no runs, only a header")
        refuse("loss\n\"3\"x\n", saying: "no CSV table")
        refuse("n_active,n_total,n_embedding,tokens,experts,loss\n1e8,1e8,1e8,1e9,1,3\n", saying: "leaves nothing")
    }

    @Test func namesColumnsThatAreMisspelled() throws {
        let start = "n_active,n_total,tokens,experts,loss"
        refuse(start + ",granularty\n", saying: "runs.csv: unknown column `granularty`; did you mean `granularity`?")
        refuse(start + ",topk\n", saying: "unknown column `topk`; did you mean `top_k`?")
        refuse(start + ",n_embeding\n", saying: "did you mean `n_embedding`?")
        refuse(start + ",N-Embedding\n", saying: "did you mean `n_embedding`?")
        refuse("nactive,n_total,tokens,experts,loss\n", saying: "did you mean `n_active`?")
        // Columns of other things stay, and are named.
        let text = start + ",val_loss,seed,name\n1e8,1e8,1e9,1,3,2.9,1,a\n"
        let table = try runTable(csv: text, file: "runs.csv", for: RunNeeds([JointLaw.metadata]))
        #expect(table.records.count == 1 && table.otherColumns == ["val_loss", "seed", "name"])
    }

    @Test func countsAreWhole() throws {
        let start = "n_active,n_total,tokens,experts,loss,granularity,top_k\n"
        refuse(
            start + "1e8,1e8,1e9,1.5,3,1,1\n", saying: "runs.csv:2: `experts` is 1.5", "a whole number",
            "dense feed-forward")
        refuse(start + "1e8,2e8,1e9,4,3,2.5,1\n", saying: "runs.csv:2: `granularity` is 2.5", "a whole number")
        refuse(start + "1e8,2e8,1e9,4,3,1,1\n1e8,2e8,1e9,4,3,1,1.2\n", saying: "runs.csv:3: `top_k` is 1.2")
        refuse(start + "1e8,2e8,1e9,nan,3,1,1\n", saying: "`experts` is nan")
        refuse(start + "1e8,2e8,1e999,4,3,1,1\n", saying: "`tokens` is inf")
        refuse(start + "0x10,2e8,1e9,4,3,1,1\n", saying: "`n_active` is `0x10`, which is no number")
        refuse(start + "-1e8,2e8,1e9,4,3,1,1\n", saying: "`n_active` is -100000000.0", "above zero")
        #expect(try read(start + "1e8,2e8,1e9,4e0,3,1,1\n")[0].point.experts == 4)
        // 2·d_model/d_expert of the leverage law
        let leveraged = "experts,granularity,flops,leverage\n32,2.9,1e20,3\n"
        #expect(try read(leveraged, [EfficiencyLeverage.metadata])[0].point.granularity == 2.9)
    }

    @Test func theRatioOfSharedExpertsIsReadWhereItIsGiven() throws {
        let start = "n_active,n_total,tokens,experts,granularity,top_k,loss"
        let runs = try read(
            start + ",shared_ratio\n1e8,2e8,1e9,8,4,2,3,0.25\n1e8,2e8,1e9,8,4,2,3,0\n", [ComprehensiveLaw.metadata])
        #expect(runs.map(\.point.sharedRatio) == [0.25, 0])
        #expect(try read(start + "\n1e8,2e8,1e9,8,4,2,3\n", [ComprehensiveLaw.metadata])[0].point.sharedRatio == 0)
        refuse(
            start + ",shared_ratio\n1e8,2e8,1e9,8,4,2,3,1\n", [ComprehensiveLaw.metadata],
            saying: "runs.csv:2: shared_ratio 1.0 leaves no expert to the router", "from 0 to below 1")
        refuse(
            start + ",shared_ratio\n1e8,2e8,1e9,8,4,2,3,-0.1\n", [ComprehensiveLaw.metadata],
            saying: "`shared_ratio` is -0.1", "from 0 on")
        refuse(
            "n_total,tokens,experts,granularity,loss\n2e8,1e9,8,4,3\n", [ComprehensiveLaw.metadata],
            saying: "no `n_active`")
    }

    @Test func keepsWhatTheRunsHaveInCommon() throws {
        let runs = try read(
            "n_active,n_total,tokens,experts,loss,vocabulary_size,context,flops\n1e8,1e8,1e9,1,3,4096,256,5e17\n")
        #expect(runs[0].vocabularySize == 4096 && runs[0].context == 256 && runs[0].countedFLOPs == 5e17)
    }

    /// Random bytes may be refused; they must not crash the reader.
    @Test func survivesRubbish() {
        var state: UInt64 = 12345
        let alphabet = Array("0123456789.,;\"\n\r\te-+loss tokens_é\0")
        for _ in 0..<500 {
            var text = "n_active,tokens,experts,loss\n"
            for _ in 0..<40 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text.append(alphabet[Int(state >> 33) % alphabet.count])
            }
            _ = try? read(text)
        }
    }

    @Test func refusesRunsThatDetermineNothing() {
        func refuse(_ runs: [RunMeasurement], _ law: LawMetadata, saying words: String...) {
            #expect { try checkRuns(runs, for: law) } throws: { error in
                words.allSatisfy { "\(error)".contains($0) }
            }
        }
        let runs = Simulation.joint(noise: 0.004, seed: 1)
        refuse(runs + [runs[3]], JointLaw.metadata, saying: "run 3 repeats run 3", "the same loss")
        refuse(Array(runs.prefix(12)), JointLaw.metadata, saying: "12 runs are too few for the law `joint`", "needs 13")
        let dense = runs.filter { $0.point.experts == 8 }
        refuse(dense, JointLaw.metadata, saying: "all runs have the same number of experts", "fit `chinchilla`")
        refuse(dense, SparsityLaw.metadata, saying: "all runs have the same sparsity")
        refuse(runs.filter { $0.point.tokens == 4e9 }, JointLaw.metadata, saying: "all runs have the same tokens")
        refuse(runs, FineGrainedLaw.metadata, saying: "all runs have the same granularity")
        refuse(Array(runs.prefix(1)), JointLaw.metadata, saying: "one run is too few")
        let constant = runs.map { RunMeasurement(source: $0.source, point: $0.point, loss: 3) }
        refuse(constant, JointLaw.metadata, saying: "all runs have the same loss, 3.0, whatever their size")
        #expect(throws: Never.self) { try checkRuns(dense, for: ChinchillaLaw.metadata) }
    }
}

/// Run directories on disk, with what training leaves in them.
@Suite struct RunDirectoryTests {
    private func withRun(_ files: [String: String], _ body: (String) throws -> Void) throws {
        let place = FileManager.default.temporaryDirectory.appendingPathComponent("run-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: place) }
        for (name, text) in files { try Data(text.utf8).write(to: place.appendingPathComponent(name)) }
        try body(place.path)
    }

    private let sizes = """
        {"n_active": 3e8, "n_total": 5e9, "experts": 32, "granularity": 2, "top_k": 1, "flops_per_token": 1.9e9}
        """
    private let steps = """
        {"step": 1, "tokens": 1000, "loss": 9.0, "validation_loss": 8.9}
        {"step": 2, "tokens": 2000, "loss": 5.0}
        {"step": 3, "tokens": 3000, "loss": 3.0, "validation_loss": 3.1, "mfu": 0.3}
        {"step": 4, "tok
        """

    @Test func readsSizesAndTheLastValidation() throws {
        try withRun(["run.json": sizes, "metrics.jsonl": steps]) { place in
            let run = try runMeasurement(directory: place, loss: .validation, for: RunNeeds([JointLaw.metadata]))
            #expect(run.loss == 3.1 && run.point.tokens == 3000 && run.point.experts == 32 && run.point.active == 3e8)
            #expect(run.point.granularity == 2 && run.point.flops == 3000 * 1.9e9)
            #expect(
                try runMeasurement(directory: place, loss: .training, for: RunNeeds([JointLaw.metadata])).loss == 3.0)
        }
    }

    @Test("a run that diverged is refused as that, unless it recovered")
    func nonFiniteLosses() throws {
        // As `JSONLinesSink` writes them.
        let recovered = "{\"step\": 1, \"tokens\": 1, \"loss\": \"NaN\", \"validation_loss\": \"Infinity\"}\n"
        try withRun(["run.json": sizes, "metrics.jsonl": recovered + steps]) { place in
            let run = try runMeasurement(directory: place, loss: .validation, for: RunNeeds([JointLaw.metadata]))
            #expect(run.loss == 3.1)
        }
        let diverged = "{\"tokens\": 5, \"loss\": \"NaN\", \"validation_loss\": \"NaN\"}\n"
        try withRun(["run.json": sizes, "metrics.jsonl": diverged]) { place in
            for source in [LossSource.validation, .training] {
                #expect {
                    try runMeasurement(directory: place, loss: source, for: RunNeeds([JointLaw.metadata]))
                } throws: {
                    "\($0)".contains("`loss` is nan") && ($0 as? Failure)?.advice?.contains("diverged") == true
                }
            }
        }
    }

    @Test func saysWhatIsWrongWithARun() throws {
        func refuse(_ files: [String: String], saying words: String) throws {
            try withRun(files) { place in
                #expect {
                    try runMeasurement(directory: place, loss: .validation, for: RunNeeds([JointLaw.metadata]))
                } throws: {
                    $0 is Failure && "\($0)".contains(words)
                }
            }
        }
        try refuse([:], saying: "a run directory holds run.json and metrics.jsonl")
        try refuse(["run.json": "{}", "metrics.jsonl": steps], saying: "run.json: no `n_active`")
        let byLayer = sizes.replacing("\"experts\": 32", with: "\"experts\": [4, 32]")
        try refuse(["run.json": byLayer, "metrics.jsonl": steps], saying: "run.json: `experts` is not one number")
        try refuse(["run.json": "[", "metrics.jsonl": steps], saying: "the JSON of a run: The given data")
        try refuse(["run.json": sizes, "metrics.jsonl": ""], saying: "has no steps")
        try refuse(["run.json": sizes, "metrics.jsonl": "{\"tokens\": 5, \"loss\": 2}\n"], saying: "--training-loss")
        try refuse(["run.json": sizes, "metrics.jsonl": "rubbish\n" + steps], saying: "metrics.jsonl:1")
        let early = "{\"tokens\": 50, \"validation_loss\": 2}\n{\"tokens\": 100, \"loss\": 2}\n"
        try refuse(["run.json": sizes, "metrics.jsonl": early], saying: "at token 50 of 100")
    }
}
