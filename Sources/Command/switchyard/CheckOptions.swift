import ArgumentParser
import Collectives
import Conversion
import Data
import Diagnostics
import Platform

/// How a conversion proves itself.
struct CheckOptions: ParsableArguments {
    @Flag(inversion: .prefixedNo, help: "Read what was written back, compare every tensor and the logits.")
    var verify = true
    @Option(help: "Tokens to compare the logits of.") var verifyTokens = 256
    @Option(
        help: "Also write these tokens and Switchyard's logits to this safetensors file, to compare other software.",
        transform: outputFile)
    var reference: String?

    func validate() throws {
        try require(verifyTokens, in: 1...1 << 24, "--verify-tokens")
        if reference != nil, !verify { throw ValidationError("--reference needs --verify") }
    }

    /// `places` and what the check writes.
    func adding(to places: InputsAndOutputs) -> InputsAndOutputs {
        var places = places
        if let reference { places.writesWhole(reference, as: "--reference") }
        return places
    }

    /// Compares a Hugging Face directory with a checkpoint, unless the user does not want it; says what was found.
    func report(on directory: String, of source: SourceCheckpoint, on world: any Communicator) throws(Failure)
        -> String?
    {
        guard verify else { return nil }
        let check = try ConversionCheck(
            directory, is: source, tokens: source.sampleTokens(verifyTokens), reference: reference, on: world)
        return check.inWords
    }
}
