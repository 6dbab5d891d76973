import Checkpoints
import Platform
import Tensors
import Testing

@Suite("Rectangles") struct RectangleTests {
    /// Row-major indices of a rectangle's elements in the tensor, one element at a time.
    private func indices(_ part: Rectangle, in tensor: [Int]) -> [Int] {
        (0..<part.count).map { local in
            var rest = local, index = 0, stride = 1
            for d in tensor.indices.reversed() {
                index += (part.offset[d] + rest % part.shape[d]) * stride
                rest /= part.shape[d]
                stride *= tensor[d]
            }
            return index
        }
    }

    @Test("runs cover a rectangle in order, each as long as can be") func runs() {
        let cases: [(tensor: [Int], offset: [Int], shape: [Int], runs: Int)] = [
            ([7], [2], [3], 1), ([4, 5], [1, 0], [2, 5], 1), ([4, 5], [1, 1], [2, 3], 2),
            ([4, 5], [0, 0], [4, 5], 1),
            ([3, 4, 5], [1, 1, 0], [2, 2, 5], 2), ([3, 4, 5], [1, 1, 2], [2, 2, 1], 4),
            ([2, 3, 2, 2], [0, 1, 0, 0], [2, 1, 2, 2], 2), ([1, 1], [0, 0], [1, 1], 1), ([3, 4], [1, 1], [0, 2], 0),
        ]
        for (tensor, offset, shape, expectedRuns) in cases {
            let part = Rectangle(offset: offset, shape: shape)
            var found: [Int] = [], locals: [Int] = [], count = 0
            part.forEachRun(in: tensor) { local, global, length in
                found += global..<global + length
                locals += local..<local + length
                count += 1
            }
            #expect(found == indices(part, in: tensor))
            #expect(locals == Array(0..<part.count))
            #expect(count == expectedRuns, "\(part) in \(tensor)")
        }
    }

    @Test(
        "parts make up a tensor if every element lies in exactly one",
        arguments: [[5], [3, 4], [2, 3, 3], [2, 2, 2, 3]])
    func tiling(tensor: [Int]) {
        var seed: UInt64 = 7
        func roll(_ sides: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((seed >> 33) % UInt64(sides))
        }
        var found = [true: 0, false: 0]
        for _ in 0..<2000 {
            // Halved again and again, and then sometimes spoilt.
            var parts = [Rectangle(whole: tensor)]
            for _ in 0..<roll(6) {
                let number = roll(parts.count), axis = roll(tensor.count), length = parts[number].shape[axis]
                guard length > 1 else { continue }
                var other = parts[number]
                let cut = 1 + roll(length - 1)
                parts[number].shape[axis] = cut
                other.offset[axis] += cut
                other.shape[axis] -= cut
                parts.append(other)
            }
            for _ in 0..<roll(3) {
                let number = roll(parts.count), axis = roll(tensor.count)
                switch roll(4) {
                case 0: parts[number].offset[axis] += roll(3) - 1
                case 1: parts[number].shape[axis] = max(0, parts[number].shape[axis] + roll(3) - 1)
                case 2: parts.append(parts[number])
                default: if parts.count > 1 { parts.remove(at: number) }
                }
            }
            let isInside = parts.allSatisfy { $0.isContained(in: tensor) }
            let all = isInside ? parts.flatMap { indices($0, in: tensor) }.sorted() : []
            let isWhole = all == Array(0..<tensor.reduce(1, *))
            #expect(Rectangle.tile(parts, tensor) == isWhole, "\(parts)")
            found[isWhole]! += 1
        }
        #expect(found[true]! > 300 && found[false]! > 300)
    }

    @Test(
        "a run of elements is covered in order by few rectangles", arguments: [[7], [4, 5], [3, 4, 5], [2, 3, 2, 2]])
    func covering(tensor: [Int]) {
        let count = tensor.reduce(1, *)
        for start in 0...count {
            for end in start...count {
                let parts = Rectangle.covering(start..<end, of: tensor)
                #expect(parts.flatMap { indices($0, in: tensor) } == Array(start..<end))
                #expect(parts.allSatisfy { $0.isContained(in: tensor) } && parts.count <= 2 * tensor.count - 1)
            }
        }
        #expect(Rectangle.covering(0..<count, of: tensor) == [Rectangle(whole: tensor)])
    }

    @Test("intersections are what both contain") func intersections() {
        let a = Rectangle(offset: [1, 2], shape: [3, 4])
        for row in 0..<6 {
            for column in 0..<8 {
                let b = Rectangle(offset: [row, column], shape: [2, 1])
                let common = Set(indices(a, in: [9, 9])).intersection(indices(b, in: [9, 9]))
                #expect(Set(a.intersection(b).map { indices($0, in: [9, 9]) } ?? []) == common)
                #expect(a.contains(b) == (common.count == 2))
            }
        }
        #expect(!Rectangle(offset: [Int.max, 0], shape: [1, 1]).isContained(in: [4, 4]))
        #expect(!Rectangle(offset: [0, 0], shape: [5, 1]).isContained(in: [4, 4]))
        #expect(Rectangle(offset: [4, 0], shape: [0, 4]).isContained(in: [4, 4]))
    }
}
