import Foundation
import Testing
import Training

@Suite("What a killed job left behind") struct JobRemainsTests {
    /// More than Linux ever gives to a process.
    private let nobody = (1 << 22) + 1

    /// The note and the things of a job whose launcher is `launcher`; whether they are there after the run's next job.
    private func survive(launcher: Int, session: String) throws -> (session: Bool, memory: Bool, others: Bool) {
        var answer = (session: false, memory: false, others: false)
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, ["train.steps=1"])
            let things = [session, "vader_segment.host.0.1234.0", "vader_segment.host.0.99.0"].map { "\(folder)/\($0)" }
            for place in things + [run.directory.path] {
                try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            }
            let note: [String: Any] = [
                "places": [things[0], "\(folder)/vader_segment.host.0.1234."], "launcher": launcher,
            ]
            let file = "\(run.directory.path)/remains-\(ProcessInfo.processInfo.hostName)"
            try JSONSerialization.data(withJSONObject: note).write(to: URL(filePath: file))
            try run.train()
            #expect(!FileManager.default.fileExists(atPath: file))
            let found = things.map { FileManager.default.fileExists(atPath: $0) }
            answer = (found[0], found[1], found[2])
        }
        return answer
    }

    @Test("is cleared away on its host by the next job") func cleared() throws {
        for session in ["ompi.host.0/pid.\(nobody)", "ompi.host.0/jf.4711"] {
            #expect(try survive(launcher: nobody, session: session) == (false, false, true))
        }
    }

    @Test("stays while its launcher lives") func alive() throws {
        let me = Int(ProcessInfo.processInfo.processIdentifier)
        #expect(try survive(launcher: me, session: "ompi.host.0/jf.4711") == (true, true, true))
        #expect(try survive(launcher: nobody, session: "ompi.host.0/pid.\(me)") == (true, true, true))
    }

    @Test("stays where it does not look like Open MPI's") func foreign() throws {
        #expect(try survive(launcher: nobody, session: "precious/pid.1") == (true, true, true))
    }
}
