/// What one check of the doctor says.
package struct Finding: Codable, Sendable, Equatable {
    package enum Level: String, Codable, Sendable, Comparable {
        case ok, warn, fail

        package static func < (a: Level, b: Level) -> Bool { a.order < b.order }
        private var order: Int { self == .ok ? 0 : self == .warn ? 1 : 2 }
    }

    package var level: Level
    /// What was looked at, in a few words.
    package var subject: String
    package var text: String
    /// What to do about it.
    package var advice: String?

    package init(_ level: Level, _ subject: String, _ text: String, advice: String? = nil) {
        self.level = level
        self.subject = subject
        self.text = text
        self.advice = advice
    }

    package static func ok(_ subject: String, _ text: String) -> Finding { Finding(.ok, subject, text) }
    package static func warn(_ subject: String, _ text: String, _ advice: String) -> Finding {
        Finding(.warn, subject, text, advice: advice)
    }
    package static func fail(_ subject: String, _ text: String, _ advice: String) -> Finding {
        Finding(.fail, subject, text, advice: advice)
    }
}
