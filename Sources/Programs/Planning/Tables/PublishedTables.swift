import Platform

/// Values printed in the papers, to hold the laws against.
package enum PublishedTables {
    package struct JointRow: Sendable {
        package let flops, experts, active, tokens: Double
    }

    /// Compute-optimal sizes, Ludziejewski et al. 2025 (arXiv:2502.05172), Table 1.
    package static let joint: [JointRow] = [
        (1e20, 1, 1.7e9, 9.7e9), (1e20, 2, 1.5e9, 11.4e9), (1e20, 4, 1.2e9, 13.9e9), (1e20, 8, 990e6, 17e9),
        (1e20, 16, 810e6, 20.7e9), (1e20, 32, 669e6, 24.9e9), (1e22, 1, 18.8e9, 88.6e9), (1e22, 2, 17.4e9, 96e9),
        (1e22, 4, 15.8e9, 105.4e9), (1e22, 8, 14.4e9, 115.8e9), (1e22, 16, 13.2e9, 126.5e9),
        (1e22, 32, 12.2e9, 136.9e9),
    ].map { JointRow(flops: $0.0, experts: $0.1, active: $0.2, tokens: $0.3) }

    package struct ShapeRow: Sendable {
        package let experts, m, mu, n, nu: Double
    }

    /// `m·N^μ + n·D^ν + c` for one E, Ludziejewski et al. 2025, Table 4.
    package static let jointByExperts: [ShapeRow] = [
        ShapeRow(experts: 1, m: 30.3640, mu: -0.1817, n: 53.9838, nu: -0.1965),
        ShapeRow(experts: 8, m: 21.8330, mu: -0.1676, n: 119.9126, nu: -0.2338),
        ShapeRow(experts: 32, m: 16.5424, mu: -0.1557, n: 234.6726, nu: -0.2652),
    ]

    package struct FineGrainedRow: Sendable {
        /// Parameters of the dense model, between embedding and head, that E = 64 was applied to.
        package let dense: Double
        package let tokens, granularity, flops: Double

        /// d of that dense model: `12·d²·blocks`, `d = 64·blocks`.
        package var dModel: Double { cbrt(dense * 64 / 12) }
    }

    /// Compute-optimal models of E = 64, Krajewski et al. 2024 (arXiv:2402.07871), Table 2.
    package static let fineGrained: [FineGrainedRow] = [
        (100e6, 4.37e9, 8, 2.95e18), (3e9, 72.9e9, 16, 1.41e21), (70e9, 941e9, 32, 4.16e23),
        (1e12, 7.94e12, 64, 4.97e25),
    ].map { FineGrainedRow(dense: $0.0, tokens: $0.1, granularity: $0.2, flops: $0.3) }

    package struct CountRow: Sendable {
        package let dModel, experts, total, active: Double
    }

    /// Parameter counts, Ludziejewski et al. 2025, appendix.
    package static let counts: [CountRow] = [
        CountRow(dModel: 1024, experts: 32, total: 5.0e9, active: 321e6),
        CountRow(dModel: 1792, experts: 4, total: 3.8e9, active: 1.3e9),
    ]

    package struct RateRow: Sendable {
        package let dModel, experts, rate: Double
    }

    /// Peak learning rates that the authors of the joint law searched.
    package static let rates: [RateRow] = [
        RateRow(dModel: 256, experts: 1, rate: 3.8e-3), RateRow(dModel: 1024, experts: 8, rate: 3.2e-4),
    ]
}
