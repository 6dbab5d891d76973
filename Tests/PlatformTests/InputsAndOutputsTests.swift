import Diagnostics
import Foundation
import Platform
import Testing

@Suite struct InputsAndOutputsTests {
    private let folder: String
    private let files = FileManager.default

    /// `a/in.txt`, a directory `whole` with a file, links of both kinds.
    init() throws {
        folder = files.temporaryDirectory.appendingPathComponent("outputs-\(UUID().uuidString)").path
        for name in ["a", "whole/inner", "staging"] {
            try files.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        for name in ["a/in.txt", "whole/file", "staging/in.txt"] {
            try "text".write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
        }
        try files.createSymbolicLink(atPath: "\(folder)/soft", withDestinationPath: "a/in.txt")
        try files.createSymbolicLink(atPath: "\(folder)/b", withDestinationPath: "a")
        try files.createSymbolicLink(atPath: "\(folder)/dangling", withDestinationPath: "nowhere")
        try files.linkItem(atPath: "\(folder)/a/in.txt", toPath: "\(folder)/hard")
    }

    private func remove() { try? files.removeItem(atPath: folder) }

    private func refusal(_ declare: (inout InputsAndOutputs) -> Void) -> Failure? {
        var places = InputsAndOutputs()
        declare(&places)
        do throws(Failure) {
            try places.check()
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        ("a/in.txt", "a/in.txt"), ("a/in.txt", "soft"), ("soft", "a/in.txt"), ("a/in.txt", "hard"), ("hard", "soft"),
        ("a/in.txt", "b/in.txt"), ("a/in.txt", "a//in.txt"), ("a/in.txt", "./whole/../a/./in.txt"),
        ("whole", "whole/"), ("whole/", "./whole"), ("a", "b"),
    ])
    func theInputUnderAnyNameIsRefused(_ input: String, _ output: String) {
        defer { remove() }
        let refused = refusal {
            $0.reads("\(folder)/\(input)", as: "--in")
            $0.writes("\(folder)/\(output)", as: "--out")
        }
        #expect(refused?.status == .usage)
        #expect(refused?.message.contains("\(folder)/\(output) (--out) is the input \(folder)/\(input) (--in)") == true)
    }

    @Test(arguments: [
        ("a/in.txt", "a/out.txt"), ("a/in.txt", "whole/in.txt"), ("a", "a/new"), ("a/missing", "a/missing"),
        ("dangling", "a/x"), ("a/in.txt", "no/such/folder/x"),
    ])
    func anythingElseIsWritten(_ input: String, _ output: String) {
        defer { remove() }
        #expect(
            refusal {
                $0.reads("\(folder)/\(input)", as: "in")
                $0.writes("\(folder)/\(output)", as: "out")
            } == nil)
    }

    @Test(arguments: ["whole/new", "whole/inner/new", "whole/inner/no/such", "whole/inner/../file2"])
    func nothingIsWrittenIntoWhatIsOneThing(_ output: String) {
        defer { remove() }
        for isWhole in [true, false] {
            let refused = refusal {
                $0.reads("\(folder)/whole", as: "in", isWhole: isWhole)
                $0.writes("\(folder)/\(output)", as: "out")
            }
            #expect((refused?.message.contains("lies inside the input") == true) == isWhole)
        }
    }

    @Test func whatIsReplacedHoldsNoInput() {
        defer { remove() }
        for (replaces, output) in [(true, "staging"), (false, "staging"), (true, "whole")] {
            let refused = refusal {
                $0.reads("\(folder)/staging/in.txt", as: "in")
                $0.writes("\(folder)/\(output)", as: "out", replacesContents: replaces)
            }
            #expect((refused?.message.contains("holds the input") == true) == (replaces && output == "staging"))
        }
    }

    @Test(arguments: [("x", "x"), ("x", "./x"), ("a/x", "b/x"), ("hard", "soft")])
    func twoOutputsAreTwoPlaces(_ first: String, _ second: String) {
        defer { remove() }
        let refused = refusal {
            $0.writes("\(folder)/\(first)", as: "one")
            $0.writes("\(folder)/\(second)", as: "two")
        }
        #expect(refused?.message.contains("is also written as") == true)
        #expect(
            refusal {
                $0.writes("\(folder)/one", as: "1"); $0.writes("\(folder)/two", as: "2")
            } == nil)
    }

    @Test func directoriesAreListedWhateverTheirNamesAre() throws {
        defer { remove() }
        let odd: [UInt8] = [0x61, 0xFF, 0x62]
        let path = (Array("\(folder)/a/".utf8) + odd + [0]).map { CChar(bitPattern: $0) }
        let file = try unsafe #require(fopen(path, "w"))
        unsafe fclose(file)
        #expect(try OpenDirectory("\(folder)/a").entries() == [odd, Array("in.txt".utf8)])
        #expect(try OpenDirectory("\(folder)/a").names() == ["a\u{FFFD}b", "in.txt"])
        #expect(throws: Failure.self) { try OpenDirectory("\(folder)/nowhere") }
    }
}
