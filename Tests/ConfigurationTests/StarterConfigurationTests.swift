import Configuration
import Diagnostics
import Testing

@Suite("The configuration to start from") struct StarterConfigurationTests {
    private func read(_ yaml: String) throws -> RunConfiguration {
        try RunConfiguration(ConfigurationDocument(yaml: yaml, file: "starter"))
    }

    @Test("it is one that trains, with the paths that were given, whatever is in their names") func paths() throws {
        for name in ["texts", "my texts/*.parquet", "a: #b", "\"q\" $HOME \\", "été"] {
            let configuration = try read(StarterConfiguration(texts: name, directory: "\(name)/run").yaml)
            #expect(configuration.directory == "\(name)/run")
            #expect(configuration.data.train.flatMap(\.paths) == [name])
        }
    }

    @Test("a key that is commented out has its default there") func defaults() throws {
        let yaml = StarterConfiguration(texts: "texts", directory: "run").yaml
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
