import Diagnostics
import Platform
import Testing

@Suite struct ExpandedPathTests {
    private let variables = [
        "HOME": "/h/me", "DATA": "/d", "EMPTY": "", "TILDE": "~/t", "DOLLAR": "a$DATA", "_x1": "y",
    ]

    private func expand(_ text: String) throws -> String { try expandedPath(text) { variables[$0] } }

    @Test(arguments: [
        ("~", "/h/me"), ("~/a/b", "/h/me/a/b"), ("$DATA/a", "/d/a"), ("${DATA}a", "/da"), ("x/$DATA", "x//d"),
        ("$DATA$DATA", "/d/d"), ("$_x1-", "y-"), ("${EMPTY}a", "a"), ("$TILDE", "/h/me/t"), ("./~/a", "./~/a"),
        ("a/~", "a/~"), ("$$DATA", "$DATA"), ("$$", "$"), ("$", "$"), ("a$", "a$"), ("a$.txt", "a$.txt"),
        ("price$5", "price$5"), ("plain é/日本", "plain é/日本"), ("", ""), ("none", "none"), ("bpe 400", "bpe 400"),
    ])
    func variablesAndTheHomeDirectoryAreExpanded(_ text: String, _ path: String) throws {
        #expect(try expand(text) == path)
    }

    @Test("the value of a variable is not expanded again") func once() throws {
        #expect(try expand("$DOLLAR") == "a$DATA")
    }

    @Test(arguments: [
        ("$NOT_SET/a", "variable NOT_SET is not set"), ("a${NOT_SET}", "variable NOT_SET is not set"),
        ("${DATA", "expected `${NAME}`"), ("${DATA:-x}", "expected `${NAME}`"), ("${}", "expected `${NAME}`"),
        ("${1}", "expected `${NAME}`"), ("~no-such-user-here/a", "there is no user `no-such-user-here`"),
        ("~no-such-user-here", "there is no user"),
    ])
    func whatCannotBeExpandedIsRefused(_ text: String, _ complaint: String) {
        let refused = #expect(throws: Failure.self) { try expand(text) }
        #expect(refused?.status == .configuration)
        #expect(refused?.message.contains(complaint) == true && refused?.message.contains("`\(text)`") == true)
    }

    @Test func withoutAHomeDirectoryTheTildeIsRefused() {
        let refused = #expect(throws: Failure.self) { try expandedPath("~/a") { _ in nil } }
        #expect(refused?.message.contains("HOME is not set") == true)
    }

    @Test(arguments: ["/a/b", "$DATA", "a$$b", "~/a", "~", "~user", "$", "${x"])
    func anEscapedPathExpandsToItself(_ path: String) throws {
        let again = try expand(escapedPath(path))
        #expect(again == (path.hasPrefix("~") ? "./" + path : path))
        #expect(escapedPath(again) == escapedPath(path))
    }

    @Test func rootsHomeDirectoryIsKnownByName() throws {
        #expect(try expand("~root/a").hasPrefix("/"))
    }
}
