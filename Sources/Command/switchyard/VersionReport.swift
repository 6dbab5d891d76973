import BuildInformation
import Foundation
import Diagnostics
import HDF5
import MPI
import MatrixProducts
import Platform
import Tensors

/// The text of `switchyard --version`: the program, the processor it was built for, and the libraries that it runs with.
enum VersionReport {
    /// The first line. The argument parser knows only this one, because the others ask libraries.
    static let title = "switchyard \(BuildInformation.identity)"

    static var text: String {
        let lines = [
            ("  CPU target", cpuTarget),
            ("  matrix products", Precision.allCases.map(matrixProducts).joined(separator: "; ")),
            ("  MPI", MPIWorld.libraryVersion),
            ("  HDF5", HDF5File.libraryVersion + (HDF5File.isParallel ? ", parallel" : ", without parallel writing")),
        ]
        return title + "\n" + labeledLines(lines.map { (label: $0.0, value: $0.1) })
    }

    private static var cpuTarget: String {
        switch Processor.Target.ofThisBuild {
        case .baseline: "the compiler's baseline"
        case .avx2: "x86-64-v3 (AVX2, FMA)"
        case .avx512: "x86-64-v4 (AVX-512)"
        case .neon: "ARM (NEON)"
        }
    }

    private static func matrixProducts(in precision: Precision) -> String {
        guard ProductLibrary.isBuilt(for: precision) else { return "\(precision.rawValue): built without oneDNN" }
        guard ProductLibrary.supports(precision) else { return "\(precision.rawValue): not on this processor" }
        return "\(precision.rawValue): \(ProductLibrary.kernelSet(precision))"
    }
}
