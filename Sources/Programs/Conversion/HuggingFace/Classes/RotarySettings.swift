import Configuration
import Diagnostics
import JSON

/// What `config.json` says of rotary positions, in both directions: `rope_theta` at the top, and `rope_scaling` up to transformers 4,
/// `rope_parameters` from 5 on.
enum RotarySettings {
    static func values(of rotary: RotaryConfiguration, context: Int) -> [String: JSONValue] {
        guard rotary.scaling != .none else { return ["rope_theta": .number(rotary.base)] }
        var scaling: [String: JSONValue] = [
            "rope_type": .text(rotary.scaling.rawValue), "factor": .number(rotary.factor),
        ]
        if rotary.scaling.hasBands {
            let names =
                rotary.scaling == .yarn ? ("beta_slow", "beta_fast") : ("low_freq_factor", "high_freq_factor")
            scaling[names.0] = .number(rotary.lowRotations)
            scaling[names.1] = .number(rotary.highRotations)
            scaling["original_max_position_embeddings"] = .integer(rotary.originalContext ?? context)
        }
        return ["rope_theta": .number(rotary.base), "rope_scaling": .object(scaling)]
    }

    /// - Parameter fallback: the base where the file is silent
    static func read(
        _ keys: inout ConfigurationKeys, default fallback: Double, context: Int
    ) throws(Failure) -> RotaryConfiguration {
        let bases = 1.0...1e12
        var rotary = RotaryConfiguration(base: try keys.number("rope_theta", default: fallback, in: bases))
        for key in ["rope_parameters", "rope_scaling"] {
            guard var part = try keys.part(key) else { continue }
            rotary.base = try part.number("rope_theta", default: rotary.base, in: bases)
            try part.require("partial_rotary_factor", .integer(1), .number(1), feature: "turning a part of a head")
            try readScaling(&part, into: &rotary, context: context)
            try part.refuseOthers()
        }
        return rotary
    }

    private static func readScaling(
        _ part: inout ConfigurationKeys, into rotary: inout RotaryConfiguration, context: Int
    ) throws(Failure) {
        let old = part.value("type"), type = part.value("rope_type") ?? old ?? .text("default")
        switch type {
        case .text("default"): return
        case .text("dynamic"):
            // It begins beyond max_position_embeddings, where no sequence of ours comes.
            _ = try part.number("factor", in: 1...1e6)
            return
        case .text("linear"): rotary.scaling = .linear
        case .text("llama3"): rotary.scaling = .llama3
        case .text("yarn"): rotary.scaling = .yarn
        default: throw part.failure("rope_type", "is \(type.inWords): this scaling of positions is not supported")
        }
        rotary.factor = try part.number("factor", in: 1...1e6)
        guard rotary.scaling.hasBands else { return }
        let isYaRN = rotary.scaling == .yarn
        rotary.originalContext = try part.integer(
            "original_max_position_embeddings", default: isYaRN ? context : nil, in: 1...1 << 24)
        rotary.lowRotations = try part.number(
            isYaRN ? "beta_slow" : "low_freq_factor", default: isYaRN ? 1 : nil, in: 1e-3...1e6)
        rotary.highRotations = try part.number(
            isYaRN ? "beta_fast" : "high_freq_factor", default: isYaRN ? 32 : nil, in: 1e-3...1e6)
        guard rotary.lowRotations < rotary.highRotations else {
            throw part.failure(
                isYaRN ? "beta_slow" : "low_freq_factor",
                "is \(rotary.lowRotations), not less than \(rotary.highRotations)")
        }
        if isYaRN { try requireUsualMagnitude(&part, rotary) }
    }

    private static func requireUsualMagnitude(
        _ part: inout ConfigurationKeys, _ rotary: RotaryConfiguration
    ) throws(Failure) {
        for key in ["mscale", "mscale_all_dim"] {
            if part.value(key) != nil { throw part.failure(key, "is given: another magnitude is not supported") }
        }
        try part.require("truncate", .boolean(true), feature: "a range of pairs that is not rounded")
        guard rotary.base > 1 else { throw part.failure("rope_theta", "is 1, with which all pairs turn alike") }
    }
}
