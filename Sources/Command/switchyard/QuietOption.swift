import ArgumentParser

/// Commands that show how far they are.
struct QuietOption: ParsableArguments {
    @Flag(
        name: .shortAndLong, help: "Show no lines of progress. What happens besides, such as warnings, is still said.")
    var quiet = false
}
