import JSON
package import Configuration
package import Diagnostics

/// A `config.json` that describes a model of ours, whole: whatever else it asks for is refused by name.
package struct ImportedConfiguration: Sendable {
    let huggingFaceClass: any HuggingFaceClass
    package var model: ModelShape
    package let normalizesGates: Bool

    /// No such file is longer.
    static let limit = 1 << 20

    init(_ huggingFaceClass: any HuggingFaceClass, _ model: ModelShape, normalizesGates: Bool) {
        self.huggingFaceClass = huggingFaceClass
        self.model = model
        self.normalizesGates = normalizesGates
    }

    init(directory: String) throws(Failure) {
        let path = "\(directory)/config.json"
        try self.init(json: try JSONFile.read(path, limit: Self.limit), path: path)
    }

    package init(json: [UInt8], path: String) throws(Failure) {
        let values = try JSONFile.decode(json, as: [String: JSONValue].self, from: path)
        var keys = ConfigurationKeys(values, path: path)
        let type = try keys.text("model_type")
        guard let found = HuggingFaceClasses.named(modelType: type) else {
            let known = HuggingFaceClasses.all.map { $0.modelType }.joined(separator: ", ")
            throw Failure(
                .data, "\(path): models of type `\(type.prefix(80))` are not supported",
                advice:
                    "\(known) hold what Switchyard's models compute; others normalize, gate or attend in another way")
        }
        self = try found.read(&keys)
        keys.ignore(CommonSettings.withoutEffect)
        try keys.refuseOthers()
    }

    /// The name of the class, as `architectures` has it.
    package var className: String { type(of: huggingFaceClass).name }

    /// With what the weights alone say of the model.
    func settled(by files: WeightFiles) throws(Failure) -> ImportedConfiguration {
        var settled = self
        settled.model = try huggingFaceClass.settled(model, by: files)
        return settled
    }
}
