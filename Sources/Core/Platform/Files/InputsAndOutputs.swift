package import Diagnostics

/// What a command reads and what it will write, compared before anything is opened for writing: **no output is an input**,
/// under whatever name, through symbolic and hard links. Every command that writes a file or a directory declares both
/// here first.
///
/// A command that writes what did not exist before destroys nothing, and what is replaced beside inputs is replaced as it
/// always was.
package struct InputsAndOutputs {
    private struct Output {
        var path: String
        var name: String
        var replacesContents: Bool
    }

    private var inputs: [(path: String, name: String, isWhole: Bool)] = []
    private var outputs: [Output] = []

    package init() {}

    /// - Parameters:
    ///   - paths: what is read; what does not exist is left to those who read it
    ///   - name: the option or key that names it, for messages
    ///   - isWhole: a directory that is one thing, such as a checkpoint: nothing may be written inside it
    package mutating func reads(_ paths: [String], as name: String, isWhole: Bool = false) {
        inputs += paths.map { ($0, name, isWhole) }
    }

    package mutating func reads(_ path: String, as name: String, isWhole: Bool = false) {
        reads([path], as: name, isWhole: isWhole)
    }

    /// - Parameters:
    ///   - path: a file, or a directory
    ///   - name: the option or key that names it, for messages
    ///   - replacesContents: whether all that is in the directory is removed or replaced
    package mutating func writes(_ path: String, as name: String, replacesContents: Bool = false) {
        outputs.append(Output(path: path, name: name, replacesContents: replacesContents))
    }

    /// - Parameter status: `usage` for what the command line names, `configuration` for what a configuration does
    /// - Throws: with `status`, naming the output that is an input or another output
    package func check(_ status: ExitStatus = .usage) throws(Failure) {
        var read: [Place: (path: String, name: String)] = [:], written: [Place: Output] = [:]
        for input in inputs {
            if let place = Place(existing: input.path), read[place] == nil {
                read[place] = (path: input.path, name: input.name)
            }
        }
        for output in outputs {
            try requireOutside(output, status)
            guard let place = Place(output.path) else { continue }
            if status == .usage, FileIdentity.isSpecial(output.path) {
                throw Failure(
                    status, "\(output.path) (\(output.name)) is a device or a pipe: a file would take its place",
                    advice: "name a file; nothing has been written")
            }
            if let input = read[place] {
                throw refusal(status, output, "is the input", path: input.path, name: input.name)
            }
            if let other = written.updateValue(output, forKey: place) {
                throw refusal(status, output, "is also written as", path: other.path, name: other.name)
            }
            if output.replacesContents { try requireEmptyOfInputs(output, place, status) }
        }
    }

    private func requireOutside(_ output: Output, _ status: ExitStatus) throws(Failure) {
        let whole = inputs.filter(\.isWhole)
        guard !whole.isEmpty else { return }
        let ancestors = Place.ancestors(of: output.path)
        for input in whole {
            guard let place = Place(existing: input.path), ancestors.contains(place) else { continue }
            throw refusal(status, output, "lies inside the input", path: input.path, name: input.name)
        }
    }

    private func requireEmptyOfInputs(_ output: Output, _ place: Place, _ status: ExitStatus) throws(Failure) {
        for input in inputs where Place.ancestors(of: input.path).contains(place) {
            throw refusal(status, output, "holds the input", path: input.path, name: input.name)
        }
    }

    private func refusal(
        _ status: ExitStatus, _ output: Output, _ relation: String, path: String, name: String
    ) -> Failure {
        Failure(
            status, "\(output.path) (\(output.name)) \(relation) \(path) (\(name)): it would be overwritten",
            advice: "name another place to write to; nothing has been written")
    }
}
