import Foundation
import Testing
import Training

@Suite("What a killed job left behind") struct JobRemainsTests {
    /// More than Linux ever gives to a process.
    private let nobody = (1 << 22) + 1

    /// The note and the things of a job whose launcher is `launcher`; whether they are there after the run's next job.
    private func survive(
        launcher: Int, session: String, segment: String = "vader_segment"
    ) throws -> (session: Bool, memory: Bool, others: Bool) {
        var answer = (session: false, memory: false, others: false)
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, ["train.steps=1"])
            let things = [session, "\(segment).host.0.1234.0", "\(segment).host.0.99.0"].map { "\(folder)/\($0)" }
            for place in things + [run.directory.path] {
                try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            }
            let note: [String: Any] = [
                "places": [things[0], "\(folder)/\(segment).host.0.1234."], "launcher": launcher,
            ]
            let file = "\(run.directory.path)/remains-\(ProcessInfo.processInfo.hostName)"
            try JSONSerialization.data(withJSONObject: note).write(to: URL(filePath: file))
            try run.train()
            #expect(!FileManager.default.fileExists(atPath: file))
            let found = things.map { FileManager.default.fileExists(atPath: $0) }
            answer = (found[0], found[1], found[2])
            // The directory around sessions goes with the last of them where it is Open MPI's own, and only there.
            let parent = URL(filePath: things[0]).deletingLastPathComponent().path
            #expect(FileManager.default.fileExists(atPath: parent) == (found[0] || !session.hasPrefix("ompi.")))
        }
        return answer
    }

    @Test("is cleared away on its host by the next job") func cleared() throws {
        for session in ["ompi.host.0/pid.\(nobody)", "ompi.host.0/jf.4711"] {
            #expect(try survive(launcher: nobody, session: session) == (false, false, true))
        }
    }

    @Test("of Open MPI 5 is cleared away as well, and the directory around it stays") func clearedOfRuntime() throws {
        for session in ["tmp/prterun.host.\(nobody).0", "tmp/prted.node.cluster.org.\(nobody).1000"] {
            #expect(try survive(launcher: nobody, session: session, segment: "sm_segment") == (false, false, true))
        }
    }

    @Test("stays while its launcher lives") func alive() throws {
        let me = Int(ProcessInfo.processInfo.processIdentifier)
        #expect(try survive(launcher: me, session: "ompi.host.0/jf.4711") == (true, true, true))
        #expect(try survive(launcher: nobody, session: "ompi.host.0/pid.\(me)") == (true, true, true))
        #expect(try survive(launcher: nobody, session: "prterun.host.\(me).0") == (true, true, true))
    }

    @Test("stays where it does not look like Open MPI's") func foreign() throws {
        let runtime = ["prterun", "prterun.host.\(nobody)", "prterun.host.x.0", "prterunner.host.\(nobody).0"]
        for session in ["precious/pid.1"] + runtime {
            #expect(try survive(launcher: nobody, session: session) == (true, true, true))
        }
    }
}
