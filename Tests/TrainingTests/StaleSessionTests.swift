import TestSupport
import Configuration
import Foundation
import Kernels
import MPI
import Parallelism
import Platform
import RunFormat
import Testing

@Suite("What a killed job left behind") struct StaleSessionTests {
    /// More than Linux ever gives to a process.
    private let nobody = (1 << 22) + 1
    private let user = geteuid()

    private var numbering: String {
        let container = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
        return "\(ProcessInfo.processInfo.hostName) \(container ?? "")"
    }

    private func exists(_ path: String) -> Bool { FileIdentity(path, followingLink: false) != nil }

    private func note(_ places: [String], launcher: Int, numbering: String? = nil) throws -> Data {
        let note: [String: Any] = [
            "places": places, "launcher": launcher, "numbering": numbering ?? self.numbering,
        ]
        return try JSONSerialization.data(withJSONObject: note)
    }

    /// A folder without links in its path, with the note of a job; which of `things` are there after the next one.
    private func survivors(
        of things: [String], launcher: Int, numbering: String? = nil, places: (String) -> [String],
        prepare: (String) throws -> Void = { _ in }
    ) throws -> [Bool] {
        var answer: [Bool] = []
        try inScratchFolder { scratch in
            let folder = URL(filePath: scratch).resolvingSymlinksInPath().path()
            for thing in things {
                let path = "\(folder)/\(thing)"
                try FileManager.default.createDirectory(
                    atPath: splitPath(path).parent, withIntermediateDirectories: true)
                if thing.contains("segment") {
                    try Data([1]).write(to: URL(filePath: path))
                } else {
                    try FileManager.default.createDirectory(atPath: path + "/x", withIntermediateDirectories: true)
                }
            }
            try prepare(folder)
            let notes = try #require(privateDirectory("notes", in: folder))
            try notes.create("job-1-x", Array(note(places(folder), launcher: launcher, numbering: numbering)))
            StaleSession.clear(notes)
            answer = things.map { exists("\(folder)/\($0)") }
        }
        return answer
    }

    /// A session directory, shared memory of its job, and of another job.
    private func survive(
        launcher: Int, session: String, segment: String = "vader_segment", numbering: String? = nil
    ) throws -> [Bool] {
        let things = [session, "\(segment).host.\(user).1234.0", "\(segment).host.\(user).99.0"]
        return try survivors(of: things, launcher: launcher, numbering: numbering) { folder in
            ["\(folder)/\(session)", "\(folder)/\(segment).host.\(user).1234."]
        }
    }

    @Test("is cleared away on its host by the next job") func cleared() throws {
        for session in ["ompi.host.\(user)/pid.\(nobody)", "ompi.host.\(user)/jf.4711"] {
            #expect(try survive(launcher: nobody, session: session) == [false, false, true])
        }
    }

    @Test("of Open MPI 5 is cleared away as well, and the directory around it stays") func clearedOfRuntime() throws {
        for session in ["tmp/prterun.host.\(nobody).\(user)", "tmp/prted.node.cluster.org.\(nobody).\(user)"] {
            #expect(try survive(launcher: nobody, session: session, segment: "sm_segment") == [false, false, true])
        }
        let left = try survivors(of: ["tmp/prterun.host.\(nobody).\(user)", "tmp"], launcher: nobody) { folder in
            ["\(folder)/tmp/prterun.host.\(nobody).\(user)"]
        }
        #expect(left == [false, true])
    }

    @Test("stays while its launcher lives, or that is unknown") func alive() throws {
        let me = Int(ProcessInfo.processInfo.processIdentifier)
        #expect(try survive(launcher: me, session: "ompi.host.\(user)/jf.4711") == [true, true, true])
        #expect(try survive(launcher: nobody, session: "ompi.host.\(user)/pid.\(me)") == [true, true, true])
        #expect(try survive(launcher: nobody, session: "prterun.host.\(me).\(user)") == [true, true, true])
        let elsewhere = try survive(
            launcher: nobody, session: "ompi.host.\(user)/jf.4711", numbering: "another-container pid:[1]")
        #expect(elsewhere == [true, true, true])
    }

    @Test(
        "stays where it does not look like this user's of Open MPI",
        arguments: [
            "precious/pid.4194305", "ompi.host.USER/thesis", "ompi.host.USER/pid.", "ompi.host.USER/pid.1x",
            "ompi.host.12345678/jf.1", "ompi/jf.1", "xompi.host.USER/jf.1", "prterun", "prterun.host.4194305",
            "prterun.host.x.USER", "prterunner.host.4194305.USER", "prterun.host.4194305.12345678",
        ])
    func foreign(session: String) throws {
        let session = session.replacing("USER", with: "\(user)")
        #expect(try survive(launcher: nobody, session: session) == [true, true, true])
    }

    @Test("no path leads out of there") func ways() throws {
        let session = "ompi.host.\(user)/jf.4711", precious = "precious/jf.4711"
        for way in [
            "ompi.host.\(user)/../precious/jf.4711", "ompi.host.\(user)/jf.4711/../../precious/jf.4711",
            "precious/./jf.4711", "link.x.\(user)/jf.4711", "ompi.link.\(user)/jf.4711",
            "ompi.link.\(user)/../\(session)",
        ] {
            let left = try survivors(of: [session, precious], launcher: nobody) {
                ["\($0)/\(way)"]
            } prepare: { folder in
                try FileManager.default.createSymbolicLink(
                    atPath: "\(folder)/ompi.link.\(user)", withDestinationPath: "\(folder)/precious")
            }
            #expect(left == [true, true], "\(way)")
        }
        // A link in the session's place, and one among the shared memory.
        let left = try survivors(of: [precious], launcher: nobody) {
            ["\($0)/\(session)", "\($0)/vader_segment.host.\(user).12."]
        } prepare: { folder in
            try FileManager.default.createDirectory(
                atPath: "\(folder)/ompi.host.\(user)", withIntermediateDirectories: true)
            for link in [session, "vader_segment.host.\(user).12.0"] {
                try FileManager.default.createSymbolicLink(
                    atPath: "\(folder)/\(link)", withDestinationPath: "\(folder)/\(precious)")
            }
        }
        #expect(left == [true])
    }

    @Test("sessions that no rank could note are removed when their launcher is gone") func abandoned() throws {
        let me = ProcessInfo.processInfo.processIdentifier
        func survivors(_ names: [String], own: String) throws -> [Bool] {
            var answer: [Bool] = []
            try inScratchFolder { folder in
                for name in names + [own] {
                    try FileManager.default.createDirectory(
                        atPath: "\(folder)/\(name)/x", withIntermediateDirectories: true)
                }
                OpenMPISessions.removeAbandoned(in: ["PMIX_SERVER_TMPDIR": "\(folder)/\(own)"])
                answer = (names + [own]).map { exists("\(folder)/\($0)") }
            }
            return answer
        }
        let runtime = [
            "prterun.host.\(nobody).\(user)", "prterun.other.\(nobody).\(user)", "prterun.host.\(me).\(user)",
            "prterun.host.\(nobody).12345678", "thesis", "pid.\(nobody)",
        ]
        #expect(
            try survivors(runtime, own: "prterun.host.\(getppid()).\(user)")
                == [false, true, true, true, true, true, true])
        let folder = "ompi.host.\(user)"
        let sessions = ["pid.\(nobody)", "pid.\(me)", "jf.\(nobody)", "thesis", "pid.1x"].map { "\(folder)/\($0)" }
        #expect(
            try survivors(sessions, own: "\(folder)/pid.\(getppid())") == [false, true, true, true, true, true])
        #expect(try survivors(["precious/pid.\(nobody)"], own: "precious/pid.\(getppid())") == [true, true])
    }

    @Test("a run directory says nothing about what is to be removed") func planted() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, ["train.steps=1"])
            let session = "\(folder)/ompi.host.\(user)/jf.4711"
            for place in [session, run.directory.path] {
                try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            }
            let file = "\(run.directory.path)/remains-\(ProcessInfo.processInfo.hostName)"
            try note([session], launcher: nobody).write(to: URL(filePath: file))
            try run.train()
            #expect(exists(session))
        }
    }
}
