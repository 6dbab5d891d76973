import Diagnostics

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

func fileExists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

/// Makes `path` and the folders above it, if they are missing.
func makeDirectory(_ path: String) throws(Failure) {
    do {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
        throw Failure(
            .cannotCreate, "cannot create the directory \(path): \(error)", advice: "choose another run.directory")
    }
}
