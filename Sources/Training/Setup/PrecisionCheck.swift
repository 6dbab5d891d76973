import Diagnostics
import GEMM
import Tensors

/// Refuses products that this build cannot compute.
/// - Throws: `unavailable`, naming the library to install
func requireProducts(in precision: Precision) throws(Failure) {
    guard !MatrixLibrary.supports(precision) else { return }
    throw Failure(
        .unavailable, "this build of switchyard has no matrix products in \(precision): it was built without oneDNN",
        advice:
            "install libdnnl-dev and build again: `swift package purge-cache`, without which SwiftPM remembers that it "
            + "was not there, and `swift build -c release`; or set `precision: float32`")
}
