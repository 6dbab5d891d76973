import Configuration
import Diagnostics
import Testing

@Suite("The configuration to start from") struct StarterConfigurationTests {
    private func read(_ yaml: String) throws -> RunConfiguration {
        try RunConfiguration(ConfigurationDocument(yaml: yaml, file: "starter"))
    }

    @Test("it is one that trains, with the paths that were given, whatever is in their names") func paths() throws {
        for name in ["texts", "my texts/*.parquet", "a: #b", "\"q\" $HOME \\", "été"] {
            let configuration = try read(
                StarterConfiguration(data: name, bytes: 1 << 24, directory: "\(name)/run").yaml)
            #expect(configuration.directory == "\(name)/run")
            #expect(configuration.data.train.flatMap(\.paths) == [name])
        }
    }

    @Test(
        "it learns as many entries as the texts have room for, and none where token files bring theirs",
        arguments: [
            (1000, "byte", 0.05), (1 << 20, "bpe 1024", 0.05), (1 << 30, "bpe 4096", 0.01), (nil, "auto", 0.01),
        ]) func sizes(bytes: Int?, tokenizer: String, heldOut: Double) throws
    {
        let data = try read(StarterConfiguration(data: "texts", bytes: bytes, directory: "run").yaml).data
        #expect(data.tokenizer == (try TokenizerChoice(tokenizer)))
        #expect(data.validation == .tail(share: heldOut))
    }

    @Test("a key that is commented out has its default there") func defaults() throws {
        let yaml = StarterConfiguration(data: "texts", bytes: 1 << 24, directory: "run").yaml
        var count = 0
        let uncommented = yaml.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            guard let match = line.wholeMatch(of: /( *)# ([a-z_]+: \S+)( +#.*)?/) else { return String(line) }
            count += 1
            return "\(match.1)\(match.2)"
        }
        #expect(count == 7)
        #expect(try read(uncommented.joined(separator: "\n")).yaml == read(yaml).yaml)
    }
}
