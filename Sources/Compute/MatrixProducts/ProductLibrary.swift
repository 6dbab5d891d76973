import COpenBLAS
import Foundation
package import Tensors

/// The matrix libraries behind `multiply`.
package enum ProductLibrary {
    case openBLAS, oneDNN

    /// Which one multiplies in float32: OpenBLAS, but oneDNN where it has kernels for vectors of 512 bits, with which it
    /// was the faster one (docs/performance.md). Whoever names OpenBLAS kernels in the environment gets OpenBLAS.
    static let float32: ProductLibrary =
        OneDNN.hasWideVectors && ProcessInfo.processInfo.environment["OPENBLAS_CORETYPE"] == nil ? .oneDNN : .openBLAS

    /// Whether this build has the library that a precision needs.
    package static func isBuilt(for precision: Precision) -> Bool {
        #if ONEDNN
            return true
        #else
            return precision == .float32
        #endif
    }

    /// Whether products in a precision can be computed, by this build on this processor: oneDNN's bfloat16 wants vectors of
    /// 512 bits (where they lack bfloat16 instructions it widens to float32, which gains nothing).
    package static func supports(_ precision: Precision) -> Bool { precision == .float32 || OneDNN.hasWideVectors }

    /// Calls come from our own threads, one each: OpenBLAS must not start more. Every product asks for it, and the first one
    /// does it.
    static let openBLASWithoutThreads: Void = openblas_set_num_threads(1)

    /// The kernel set that computes products in a precision, for run records: `OpenBLAS 0.3.21 SkylakeX` or
    /// `oneDNN 2.6.3 ISA 0x3f`. Another set gives other bits.
    package static func kernelSet(_ precision: Precision) -> String {
        guard precision == .float32, float32 == .openBLAS else { return OneDNN.kernelSet }
        let version = unsafe String(cString: openblas_get_config()).split(separator: " ").prefix(2)
        return unsafe "\(version.joined(separator: " ")) \(String(cString: openblas_get_corename()))"
    }
}
