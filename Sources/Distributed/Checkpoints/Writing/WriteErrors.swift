import Diagnostics
import HDF5
import Platform

extension HDF5File {
    /// Writes, hands everything to the operating system and closes the file; after a failure, too.
    func writing(_ body: (HDF5File) throws(Failure) -> Void) throws(Failure) {
        do {
            try body(self)
            try handlingHDF5(flush)
        } catch {
            // HDF5 still wants to write its metadata: the file's space, given back, makes room for that.
            Files.empty(path)
            do {
                try close()
            } catch {
                // The first failure is the one to report.
            }
            throw error
        }
        try handlingHDF5(close)
    }
}
