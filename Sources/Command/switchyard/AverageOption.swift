import ArgumentParser

/// Whether a command takes the average of a checkpoint's parameters.
struct AverageOption: ParsableArguments {
    @Flag(help: "Take the average of the parameters, which a run with optimizer.ema_decay keeps, in place of them.")
    var ema = false
}
