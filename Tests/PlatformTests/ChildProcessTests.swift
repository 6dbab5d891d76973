import Platform
import Testing

struct ChildProcessTests {
    private func shell(_ script: String, environment: [String: String]? = nil) throws -> (
        ending: ChildProcess.Ending, text: String
    ) {
        let (ending, output) = try ChildProcess.run(
            "/bin/sh", ["-c", script], environment: environment, takesOutput: true)
        return (ending, String(decoding: output, as: UTF8.self))
    }

    @Test func theEndAndTheOutputOfAProgramAreReturned() throws {
        #expect(try shell("echo one; echo two; exit 7") == (.exit(7), "one\ntwo\n"))
        #expect(try shell("kill -KILL $$").ending == .signal(SIGKILL))
        #expect(try shell("head -c 300000 /dev/zero | tr '\\0' x").text.count == 300_000)
        let environment = ["A": "b c", "PATH": "/usr/bin:/bin"]
        #expect(try shell("cat; echo \"$A-$HOME\"", environment: environment).text == "b c-\n")
    }

    @Test func aProgramThatIsNotThereIsAnError() {
        #expect(throws: ChildProcess.StartFailure.self) { try ChildProcess.run("/nowhere/program", []) }
    }

    /// A process that answers requests ignores SIGPIPE; its children must not.
    @Test func aChildHasTheUsualActions() throws {
        let old = signal(SIGPIPE, SIG_IGN)
        defer { _ = signal(SIGPIPE, old) }
        #expect(try shell("sed -n 's/^SigIgn:[[:space:]]*//p' /proc/$$/status").text.suffix(5).first == "0")
    }
}
