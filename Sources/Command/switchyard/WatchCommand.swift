import ArgumentParser
import Diagnostics
import Foundation
import Platform
import Reporting

/// A live view in the terminal.
struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Shows a run or a study in the terminal while it trains.",
        discussion: """
            Loss, speed, load of the experts, drops, checkpoints and the time that is left, in a terminal of any size, also over
            ssh. It reads what the job writes and disturbs nothing. Ctrl-C ends it, and so does the end of a run. Examples:
              switchyard watch runs/quickstart
              switchyard watch studies/small
              switchyard watch runs/quickstart --once
            """)

    @Argument(help: "The directory of a run or of a study.", transform: path) var directory: String
    @Option(help: "Seconds between two looks.") var every = 1.0
    @Flag(help: "Show how it stands, and end.") var once = false

    func validate() throws {
        guard (0.1...3600).contains(every) else { throw ValidationError("--every is a number from 0.1 to 3600") }
    }

    func run() throws {
        try reportingFailures {
            var watch = try Watch(directory)
            // Where no terminal can be rewritten there is one look.
            guard !once, isatty(1) == 1 else {
                let lines = watch.lines(TerminalScreen.size, now: Date(), colored: TerminalScreen.hasColors)
                return try StandardOutput.write(lines.joined(separator: "\n"))
            }
            var screen = TerminalScreen()
            while true {
                try screen.show(watch.lines(screen.room, now: Date(), colored: TerminalScreen.hasColors))
                if watch.isFinished(now: Date()) { break }
                pause()
                try watch.refresh()
            }
        }
    }

    /// Waits until the next look, or another size of the terminal.
    private func pause() {
        let end = ContinuousClock.now + .seconds(every), size = TerminalScreen.size
        while ContinuousClock.now < end, size == TerminalScreen.size { usleep(50_000) }
    }
}
