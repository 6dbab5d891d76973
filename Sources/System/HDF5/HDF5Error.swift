package import Diagnostics

/// HDF5 refused a call, or a file holds what this module does not read.
package enum HDF5Error: Error, Sendable, Equatable {
    /// The library's function `name` failed on `subject`, a file or an object in one; `account` is what its error stack says,
    /// innermost cause first.
    case call(_ name: String, subject: String, account: String)
    /// What is to be read or stored is of another kind than this module handles, or too large.
    case contents(_ message: String)
    /// The arguments cannot be right for any file: a defect of the caller.
    case misuse(_ message: String)
}

extension HDF5Error: CustomStringConvertible {
    package var description: String {
        switch self {
        case .call(let name, let subject, let account): "\(subject): \(name) failed: \(account)"
        case .contents(let message), .misuse(let message): message
        }
    }
}

extension Failure {
    /// For programs: a call that failed is an input or output error, contents of another kind are wrong data.
    package init(hdf5 error: HDF5Error) {
        let status: ExitStatus =
            switch error {
            case .call: .inputOutput
            case .contents: .data
            case .misuse: .software
            }
        self.init(status, error.description)
    }
}

/// Runs `body`, which only handles HDF5 files, in terms of `Failure`.
package func handlingHDF5<Answer: ~Copyable>(
    _ body: () throws(HDF5Error) -> Answer
) throws(Failure) -> Answer {
    do {
        return try body()
    } catch {
        throw Failure(hdf5: error)
    }
}
