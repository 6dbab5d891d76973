/// E: experts of a layer in units of one dense feed-forward, the same in all layers or layer by layer.
package struct ExpertsPerLayer: Sendable, Equatable {
    /// One number where all layers have equally many.
    private let numbers: [Int]

    package init(_ everywhere: Int) { numbers = [everywhere] }

    /// - Parameter byLayer: one number for each layer; equal ones are the same as one for all
    package init(byLayer: [Int]) {
        numbers = byLayer.dropFirst().allSatisfy { $0 == byLayer[0] } ? Array(byLayer.prefix(1)) : byLayer
    }

    package subscript(layer layer: Int) -> Int { numbers.count == 1 ? numbers[0] : numbers[layer] }

    /// The same where layers without experts have the number of the first layer with some, which changes nothing.
    func passingOver(_ without: Set<Int>, layers: Int) -> ExpertsPerLayer {
        guard numbers.count > 1, let first = (0..<layers).first(where: { !without.contains($0) }) else { return self }
        return ExpertsPerLayer(byLayer: (0..<layers).map { numbers[without.contains($0) ? first : $0] })
    }

    /// The number, where all layers have the same.
    package var uniform: Int? { numbers.count == 1 ? numbers[0] : nil }
}

extension ExpertsPerLayer: ExpressibleByIntegerLiteral, CustomStringConvertible {
    package init(integerLiteral everywhere: Int) { self.init(everywhere) }

    /// As `model.experts` has it.
    package var description: String { uniform.map { "\($0)" } ?? "\(numbers)" }
}

extension ExpertsPerLayer: Codable {
    package init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let number = try? value.decode(Int.self) {
            self.init(number)
        } else {
            self.init(byLayer: try value.decode([Int].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        if let uniform { try value.encode(uniform) } else { try value.encode(numbers) }
    }
}
