import COpenBLAS
package import Tensors

/// The matrix libraries behind `multiply`.
package enum MatrixLibrary {
    case openBLAS, oneDNN

    /// Which one multiplies in float32.
    static let float32 = MatrixLibrary.openBLAS

    /// Whether products in a precision can be computed by this build.
    package static func supports(_ precision: Precision) -> Bool {
        #if ONEDNN
            return true
        #else
            return precision == .float32
        #endif
    }

    /// Calls come from our own threads, one each: the library must not start more. Once, before the first product.
    package static func prepare() { openblas_set_num_threads(1) }

    /// The kernel set in use, for run records: `OpenBLAS 0.3.21 SkylakeX`. Another set gives other bits.
    package static var kernelSet: String {
        let version = unsafe String(cString: openblas_get_config()).split(separator: " ").prefix(2)
        let openBLAS = unsafe "\(version.joined(separator: " ")) \(String(cString: openblas_get_corename()))"
        #if ONEDNN
            return "\(openBLAS), \(OneDNN.version)"
        #else
            return openBLAS
        #endif
    }
}
