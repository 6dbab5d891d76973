package import Tensors

/// A tensor as a checkpoint holds it: in pieces that cover it exactly, each a dataset of some file.
package struct StoredTensor: Sendable, Equatable {
    package var name: String
    package var shape: [Int]
    /// `TensorDigest` of the whole.
    package var digest: UInt64 = 0
    package var pieces: [StoredShard]

    package var count: Int { shape.reduce(1, *) }
}

/// A rectangle of a tensor, stored contiguously, row-major, little-endian float32.
package struct StoredShard: Sendable, Equatable {
    /// Index into the manifest's files.
    package var file: Int
    /// Where the numbers begin in the file, in bytes.
    package var byteOffset = 0
    package var rectangle: Rectangle
    /// Path of the dataset in the file.
    package var dataset: String
}
