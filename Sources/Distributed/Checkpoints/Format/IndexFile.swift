import Diagnostics
import HDF5
import Platform
import Tensors

/// `index.h5`: every tensor whole under its own name, as a virtual dataset over the shards, and the record.
enum IndexFile {
    static let name = "index.h5"

    /// - Parameter shards: file names, in the order that `tensors[].pieces[].file` counts
    static func write(
        to path: String, _ record: CheckpointRecord, _ tensors: [StoredTensor], shards: [String],
        atFault: () throws(Failure) -> Void
    ) throws(Failure) {
        try record.requireStorableKeys()
        try handlingHDF5 { () throws(HDF5Error) in try HDF5File.create(path) }.writing { file throws(Failure) in
            try handlingHDF5 { () throws(HDF5Error) in
                let root = try file.root()
                try record.write(to: root)
                try root.setAttribute("shards", Int64(shards.count))
                for tensor in tensors { try write(tensor, to: root, shards: shards) }
                try root.close()
            }
            try atFault()
        }
    }

    private static func write(_ tensor: StoredTensor, to root: HDF5Group, shards: [String]) throws(HDF5Error) {
        let pieces = tensor.pieces.map { piece in
            VirtualPiece(
                file: shards[piece.file], dataset: piece.dataset, offset: piece.rectangle.offset,
                shape: piece.rectangle.shape)
        }
        try root.createVirtualDataset(tensor.name, of: .float32, shape: tensor.shape, from: pieces).close()
    }

    /// - Parameter opened: the file that was verified; it is read and no other of its name
    static func readRecord(_ opened: RegularFile) throws(Failure) -> CheckpointRecord {
        try handlingHDF5 { () throws(HDF5Error) in
            let file = try HDF5File.open(opened.path, descriptor: opened.descriptor), root = try file.root()
            let record = try CheckpointRecord(from: root)
            try root.close()
            try file.close()
            return record
        }
    }
}
