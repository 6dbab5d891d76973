import JSON
import Diagnostics

/// Which tensor goes into which file: in the order of the model, a new file where the next tensor would not fit.
struct ShardPlan {
    struct File {
        var name: String
        /// In the order in which they lie in the file.
        var tensors: [ClassTensor]
    }

    let files: [File]
    let totalBytes: Int

    /// - Parameter limit: bytes of tensors in a file; a tensor that is larger has a file of its own
    init(_ tensors: some Sequence<ClassTensor>, limit: Int) {
        var groups: [[ClassTensor]] = [[]], room = limit
        for tensor in tensors {
            if tensor.entry.bytes > room, !groups[groups.count - 1].isEmpty {
                groups.append([])
                room = limit
            }
            groups[groups.count - 1].append(tensor)
            room -= tensor.entry.bytes
        }
        files = groups.enumerated().map { number, group in
            let order = SafetensorsWriter.ordered(group.map(\.entry)).map(\.name)
            let byName = Dictionary(uniqueKeysWithValues: group.map { ($0.entry.name, $0) })
            return File(name: Self.name(number + 1, of: groups.count), tensors: order.compactMap { byName[$0] })
        }
        totalBytes = groups.reduce(0) { $0 + $1.reduce(0) { $0 + $1.entry.bytes } }
    }

    private static func name(_ number: Int, of count: Int) -> String {
        guard count > 1 else { return "model.safetensors" }
        return "model-\(zeroPadded(number, width: 5))-of-\(zeroPadded(count, width: 5)).safetensors"
    }

    /// `model.safetensors.index.json`; nil where one file needs none.
    func index() throws(Failure) -> [UInt8]? {
        guard files.count > 1 else { return nil }
        struct Index: Encodable {
            struct Metadata: Encodable { var total_size: Int }
            var metadata: Metadata
            var weight_map: [String: String]
        }
        let places = files.flatMap { file in file.tensors.map { ($0.entry.name, file.name) } }
        return try JSONFile.encode(
            Index(
                metadata: Index.Metadata(total_size: totalBytes), weight_map: Dictionary(uniqueKeysWithValues: places)))
    }
}
