import Diagnostics
import HDF5
import Platform

// How a `CheckpointRecord` lies in `index.h5`: numbers and short texts as attributes of the root, long texts as
// datasets of the group `run` (docs/checkpoint-format.md, "The index").
extension CheckpointRecord {
    /// HDF5's integers here are signed: seeds from 2^63 on are stored as the negative number of the same bits.
    private var seedBits: Int {
        get { Int(bitPattern: UInt(seed)) }
        set { seed = UInt64(UInt(bitPattern: newValue)) }
    }

    private static var numbers: [(String, WritableKeyPath<CheckpointRecord, Int>)] {
        [
            ("step", \.step), ("tokens", \.tokens), ("seed", \.seedBits), ("schedule_position", \.schedulePosition),
            ("data_position", \.dataPosition), ("metrics_bytes", \.metricsBytes),
        ]
    }
    private static var texts: [(String, WritableKeyPath<CheckpointRecord, String>)] {
        [
            ("run", \.run), ("kernels", \.kernels),
        ]
    }
    private static var longTexts: [(String, WritableKeyPath<CheckpointRecord, String>)] {
        [
            ("run/config", \.configuration), ("run/tokenizer", \.tokenizer),
        ]
    }
    private static var maps: [(String, WritableKeyPath<CheckpointRecord, [String: String]>)] {
        [
            ("run/versions", \.versions), ("run/extras", \.extras),
        ]
    }

    /// Keys of maps become names of datasets.
    func requireStorableKeys() throws(Failure) {
        for (name, path) in Self.maps {
            for key in self[keyPath: path].keys where key.isEmpty || key.contains("/") || key == "." {
                throw Failure(.software, "checkpoint record: `\(key)` cannot be a key of \(name)")
            }
        }
    }

    func write(to root: HDF5Group) throws(HDF5Error) {
        try root.setAttribute("format_version", Int64(Manifest.version))
        for (name, path) in Self.numbers { try root.setAttribute(name, Int64(self[keyPath: path])) }
        if let sequences { try root.setAttribute("sequences", Int64(sequences)) }
        for (name, path) in Self.texts { try root.setAttribute(name, self[keyPath: path]) }
        for (name, path) in Self.longTexts { try root.writeText(self[keyPath: path], to: name) }
        for (name, path) in Self.maps {
            for (key, value) in self[keyPath: path].sorted(by: { $0.key < $1.key }) {
                try root.writeText(value, to: "\(name)/\(key)")
            }
        }
    }

    init(from root: HDF5Group) throws(HDF5Error) {
        self.init(run: "", step: 0)
        for (name, path) in Self.numbers { self[keyPath: path] = try Self.number(name, of: root) }
        if try root.hasAttribute("sequences") { sequences = try Self.number("sequences", of: root) }
        for (name, path) in Self.texts { self[keyPath: path] = try root.textAttribute(name) }
        for (name, path) in Self.longTexts { self[keyPath: path] = try root.readText(name) }
        for (name, path) in Self.maps where try root.contains(name) {
            let group = try root.group(name)
            for key in try group.names() { self[keyPath: path][key] = try group.readText(key) }
            try group.close()
        }
    }

    private static func number(_ name: String, of root: HDF5Group) throws(HDF5Error) -> Int {
        guard let value = try root.attribute(name, as: Int64.self).first else {
            throw HDF5Error.contents("\(root.path): attribute \(name) is empty")
        }
        return Int(value)
    }
}
