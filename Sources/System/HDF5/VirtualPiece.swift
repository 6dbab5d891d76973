import CHDF5

/// A part of a virtual dataset: a whole dataset of another file, shown at `offset`.
package struct VirtualPiece: Sendable {
    /// File name, relative to the folder of the file with the virtual dataset.
    package var file: String
    package var dataset: String
    package var offset: [Int]
    package var shape: [Int]

    package init(file: String, dataset: String, offset: [Int], shape: [Int]) {
        self.file = file
        self.dataset = dataset
        self.offset = offset
        self.shape = shape
    }

    /// Creation properties of the virtual dataset. Elements whose file is missing read as NaN (zero for integers), so
    /// that a lost shard cannot pass for a tensor of zeros.
    static func creation(
        of storage: HDF5Storage, shape: [Int], from pieces: [VirtualPiece]
    ) throws(HDF5Error) -> Identifier {
        let creation = try Identifier.properties(shim_dataset_create)
        let raw = creation.raw
        try Library.call("H5Pset_obj_track_times", "virtual dataset") { H5Pset_obj_track_times(raw, false) }
        if storage == .float32 || storage == .float64 {
            var nan = Double.nan
            try Library.call("H5Pset_fill_value", "virtual dataset") {
                unsafe H5Pset_fill_value(raw, shim_memory_float64(), &nan)
            }
        }
        let whole = try Identifier.space(shape), wholeID = whole.raw
        for piece in pieces {
            let source = try Identifier.space(piece.shape), sourceID = source.raw
            try selectRectangle(wholeID, offset: piece.offset, shape: piece.shape, piece.dataset)
            try Library.call("H5Pset_virtual", piece.dataset) {
                unsafe H5Pset_virtual(raw, wholeID, piece.file, piece.dataset, sourceID)
            }
        }
        return creation
    }
}
