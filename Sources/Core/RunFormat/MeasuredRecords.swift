import Diagnostics
package import Foundation

/// The fields of `run.json` that scaling laws read. Files of other software may hold these alone, so they are fewer than those of
/// `RunSummary`, under the same names, and every number is real: laws count in powers of ten.
package struct RunSizes: Decodable, Sendable {
    package let active, total, experts, flopsPerToken: Double
    package let embedding, vocabularySize, context, granularity, topK: Double?

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: RunSummary.CodingKeys.self)
        active = try fields.decode(Double.self, forKey: .nActive)
        total = try fields.decode(Double.self, forKey: .nTotal)
        experts = try fields.decode(Double.self, forKey: .experts)
        flopsPerToken = try fields.decode(Double.self, forKey: .flopsPerToken)
        embedding = try fields.decodeIfPresent(Double.self, forKey: .nEmbedding)
        vocabularySize = try fields.decodeIfPresent(Double.self, forKey: .vocabularySize)
        context = try fields.decodeIfPresent(Double.self, forKey: .context)
        granularity = try fields.decodeIfPresent(Double.self, forKey: .granularity)
        topK = try fields.decodeIfPresent(Double.self, forKey: .topK)
    }
}

/// The fields of a line of `metrics.jsonl` that scaling laws read; the other fields of `StepRecord` may be absent.
package struct StepLosses: Decodable, Sendable {
    package let tokens: Double
    /// Nats per token; NaN or infinite where the run diverged.
    package let loss, validationLoss: Double?

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: StepRecord.CodingKeys.self)
        tokens = try fields.decode(Double.self, forKey: .tokens)
        loss = try fields.decodeIfPresent(Double.self, forKey: .loss)
        validationLoss = try fields.decodeIfPresent(Double.self, forKey: .validationLoss)
    }
}

extension StepRecord {
    /// Returns a decoder of the lines of `metrics.jsonl`, as `JSONLinesSink` encodes them.
    package static func decoder() -> JSONDecoder {
        let decoder = JSONDecoder.ofRecords()
        decoder.nonConformingFloatDecodingStrategy = .ofRecords
        return decoder
    }
}

extension StepRecord {
    /// Returns the record as one line of JSON, its keys in order, without the line's end.
    /// - Parameter path: the file that it is for, for messages
    /// - Throws: `software` if it cannot be encoded
    func encoded(for path: String) throws(Failure) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = .ofRecords
        do {
            return try encoder.encode(self)
        } catch {
            throw Failure(.software, "\(path): the record of step \(step) cannot be encoded: \(error)")
        }
    }
}

// Numbers that are not finite are text, because JSON has none of them.

extension JSONEncoder.NonConformingFloatEncodingStrategy {
    /// `"NaN"`, `"Infinity"`, `"-Infinity"`
    package static var ofRecords: Self {
        .convertToString(positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    }
}

extension JSONDecoder.NonConformingFloatDecodingStrategy {
    static var ofRecords: Self {
        .convertFromString(positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    }
}
