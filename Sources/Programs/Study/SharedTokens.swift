import Configuration
import Foundation
import RunFormat

extension Study {
    /// Gives a row that begins the tokens that another row has made of the same texts, as hard links: a study tokenizes them once for
    /// as many jobs as begin together, and keeps them once.
    ///
    /// What cannot be linked the job makes itself; it also looks whether what it finds is whole, and made of these texts.
    func shareTokens(with row: StudyRow) {
        let files = FileManager.default, own = RunDirectory(directory.run(row.name)).data
        guard !files.fileExists(atPath: own) else { return }
        for other in rows where other.name != row.name && other.dataSettings == row.dataSettings {
            let data = RunDirectory(directory.run(other.name)).data
            let made = ((try? files.contentsOfDirectory(atPath: data)) ?? []).filter { $0.hasSuffix(".tokens") }
            guard !made.isEmpty else { continue }
            try? files.createDirectory(atPath: own, withIntermediateDirectories: true)
            for name in made { try? files.linkItem(atPath: "\(data)/\(name)", toPath: "\(own)/\(name)") }
            return
        }
    }
}

extension StudyRow {
    /// What decides which tokens its texts become.
    fileprivate var dataSettings: String {
        Fingerprint.digest(ofSettingsOf: configuration) { key, _ in key.hasPrefix("data.") }
    }
}
