import COpenBLAS

/// The matrix library behind `multiply`.
package enum MatrixLibrary {
    /// Calls come from our own threads, one each: the library must not start more. Once, before the first product.
    package static func prepare() { openblas_set_num_threads(1) }

    /// The kernel set in use, for run records: `OpenBLAS 0.3.21 SkylakeX`. Another set gives other bits.
    package static var kernelSet: String {
        let version = unsafe String(cString: openblas_get_config()).split(separator: " ").prefix(2)
        return unsafe "\(version.joined(separator: " ")) \(String(cString: openblas_get_corename()))"
    }
}
