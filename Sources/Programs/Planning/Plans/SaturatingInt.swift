extension Int {
    /// The whole number towards zero; beyond what 64 bits count, the nearest that they do, and 0 for what is no number.
    init(saturating value: Double) {
        self = Int(exactly: value.rounded(.towardZero)) ?? (value > 0 ? .max : value < 0 ? .min : 0)
    }
}
