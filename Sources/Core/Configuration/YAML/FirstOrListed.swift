import Diagnostics
import Yams

extension ConfigurationSection {
    /// A number n, which stands for 0 to n − 1, or a list of numbers; none if the key is absent. The caller records it.
    /// - Parameters:
    ///   - items: what is counted, for the message
    ///   - count: numbers beyond this one are not told apart
    func firstOrListed(_ key: String, _ items: String, count: Int) throws(Failure) -> [Int] {
        try read(key, [], "a number of first \(items), or a list of \(items) from 0 on") { node in
            if let first = node.scalar.flatMap({ Self.wholeNumber($0.string) }) {
                return first < 0 ? nil : Array(0..<min(first, count + 1))
            }
            let all = node.sequence.map { list in
                list.map { entry in entry.scalar.flatMap { Self.wholeNumber($0.string) } }
            }
            return all?.contains(nil) == true ? nil : all?.compactMap(\.self)
        }
    }
}
