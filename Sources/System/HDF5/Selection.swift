import CHDF5

/// A rectangle of a dataset and the memory that matches it.
struct Selection: ~Copyable {
    let file: Identifier
    let memory: Identifier

    /// - Parameter count: elements in memory; must be the rectangle's
    init(offset: [Int], shape: [Int], of dataset: HDF5Dataset, count: Int) throws(HDF5Error) {
        let whole = dataset.shape
        let fits =
            offset.count == whole.count && shape.count == whole.count
            && zip(whole, zip(offset, shape)).allSatisfy { $1.0 >= 0 && $1.1 >= 0 && $1.0 + $1.1 <= $0 }
        guard fits, shape.reduce(1, *) == count else {
            throw HDF5Error.misuse(
                "\(dataset.path): \(shape) at \(offset) with \(count) numbers does not lie inside \(whole)")
        }
        let file = try Identifier.space(whole), memory = try Identifier.space([max(1, count)])
        let ids = (file: file.raw, memory: memory.raw)
        if count == 0 {
            try Library.call("H5Sselect_none", dataset.path) { H5Sselect_none(ids.file) }
            try Library.call("H5Sselect_none", dataset.path) { H5Sselect_none(ids.memory) }
        } else if !shape.isEmpty {  // a scalar has nothing to select
            try selectRectangle(ids.file, offset: offset, shape: shape, dataset.path)
        }
        self.file = file
        self.memory = memory
    }
}

/// Makes `space` stand for the rectangle alone.
func selectRectangle(_ space: hid_t, offset: [Int], shape: [Int], _ subject: String) throws(HDF5Error) {
    let start = offset.map { hsize_t($0) }, count = shape.map { hsize_t($0) }
    try Library.call("H5Sselect_hyperslab", subject) {
        unsafe H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nil, count, nil)
    }
}
