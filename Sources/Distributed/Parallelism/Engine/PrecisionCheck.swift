package import Diagnostics
import MatrixProducts
import Platform
package import Tensors

/// Refuses products that this build, or this processor, cannot compute.
/// - Throws: `unavailable`, naming the library to install
package func requireProducts(in precision: Precision) throws(Failure) {
    guard !ProductLibrary.supports(precision) else { return }
    guard !ProductLibrary.isBuilt(for: precision) else {
        throw Failure(
            .unavailable, "this processor has no vectors of 512 bits (AVX-512), which products in \(precision) want",
            advice:
                "set `precision: float32`, or use nodes whose processors have them: `switchyard doctor` shows what they have"
        )
    }
    throw Failure(
        .unavailable, "this build of switchyard has no matrix products in \(precision): it was built without oneDNN",
        advice:
            "install libdnnl-dev and build again: `swift package purge-cache`, without which SwiftPM remembers that it "
            + "was not there, and `swift build -c release`; or set `precision: float32`")
}
