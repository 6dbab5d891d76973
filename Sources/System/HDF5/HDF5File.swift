import CHDF5
import COpenMPI
package import Collectives
import MPI
import Platform

/// An open HDF5 file, by one process or by all ranks of a communicator.
///
/// Close it explicitly: only `close()` reports that buffered bytes could not be written. A dropped file that one process
/// has open is closed silently; one that is shared stays open, because closing it is collective.
package final class HDF5File {
    package let path: String
    let raw: hid_t
    package let isShared: Bool
    private var isOpen = true

    private init(_ raw: hid_t, path: String, isShared: Bool) {
        self.raw = raw
        self.path = path
        self.isShared = isShared
    }

    deinit {
        guard isOpen, !isShared else { return }
        do {
            try close()
        } catch {
            // Dropped without close(): the writer is failing already and says why.
        }
    }

    /// A new file, in place of any of that name. The same contents give the same bytes: nothing in it is a time.
    package static func create(_ path: String) throws(HDF5Error) -> HDF5File {
        try create(path, access: try Identifier.properties(shim_file_access), isShared: false)
    }

    /// A new file that all ranks of `ranks` have open, through MPI-IO. Collective, as are its `close()` and everything
    /// that creates groups, datasets or attributes in it.
    package static func create(_ path: String, sharedBy ranks: any Communicator) throws(HDF5Error) -> HDF5File {
        guard let ranks = ranks as? MPICommunicator else {
            throw HDF5Error.misuse("\(path): only ranks of MPI can have one file open together")
        }
        let access = try Identifier.properties(shim_file_access)
        let raw = access.raw
        try Library.call("H5Pset_fapl_mpio", path) { unsafe H5Pset_fapl_mpio(raw, ranks.handle, shim_info_null()) }
        return try create(path, access: access, isShared: true)
    }

    /// Whether `create(_:sharedBy:)` is possible.
    package static func canBeShared(by ranks: any Communicator) -> Bool { ranks is MPICommunicator }

    private static func create(
        _ path: String, access: consuming Identifier, isShared: Bool
    ) throws(HDF5Error) -> HDF5File {
        let creation = try Identifier.properties(shim_file_create)
        let options = (creation: creation.raw, access: access.raw)
        try Library.call("H5Pset_obj_track_times", path) { H5Pset_obj_track_times(options.creation, false) }
        try Library.call("H5Pset_alignment", path) { H5Pset_alignment(options.access, 1 << 16, 4096) }
        let raw = try Library.call("H5Fcreate", path) {
            unsafe H5Fcreate(path, shim_replace(), options.creation, options.access)
        }
        return HDF5File(raw, path: path, isShared: isShared)
    }

    /// An existing file, by this process alone.
    /// - Parameters:
    ///   - path: of the file
    ///   - writable: whether it is written as well
    ///   - descriptor: of the file, if it is open already: then it is this one, whatever bears its name now
    package static func open(
        _ path: String, writable: Bool = false, descriptor: Int32? = nil
    ) throws(HDF5Error) -> HDF5File {
        let place = descriptor.map { "/proc/self/fd/\($0)" }.flatMap { unsafe access($0, R_OK) == 0 ? $0 : nil } ?? path
        let raw = try Library.call("H5Fopen", path) {
            unsafe H5Fopen(place, writable ? shim_read_write() : shim_read_only(), shim_default())
        }
        return HDF5File(raw, path: path, isShared: false)
    }

    /// The group that holds everything. Close it before the file.
    package func root() throws(HDF5Error) -> HDF5Group { try HDF5Group.open("/", in: raw, path: path) }

    /// Hands buffered bytes to the operating system. Collective if shared, and then also waits for the disk.
    package func flush() throws(HDF5Error) {
        try Library.call("H5Fflush", path) { H5Fflush(raw, H5F_SCOPE_LOCAL) }
    }

    /// Collective if shared. Closing twice is harmless.
    package func close() throws(HDF5Error) {
        guard isOpen else { return }
        isOpen = false
        try Library.call("H5Fclose", path) { H5Fclose(raw) }
    }

    /// Wakes the library. **Call before MPI starts**: a library that wakes later closes everything when MPI ends, and
    /// crashes there if a full disk has kept a file from being closed.
    package static func prepareLibrary() throws(HDF5Error) { try Library.start() }

    /// Gives up a shared file that could not be written: it is never closed. Not collective.
    ///
    /// Closing writes metadata, each rank a share of it, and where one rank's write fails the others wait for ever. The
    /// file's descriptor stays with the process.
    package func abandon() { isOpen = false }

    /// `major.minor.release` of the library, for the run record.
    package static var libraryVersion: String { Library.version }

    /// Whether several ranks can write one file with it.
    package static var isParallel: Bool { Library.isParallel }
}
