import Checkpoints
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
        "a run of elements is covered in order by few rectangles", arguments: [[7], [4, 5], [3, 4, 5], [2, 3, 2, 2]])
    func covering(tensor: [Int]) {
        let count = tensor.reduce(1, *)
        for start in 0...count {
            for end in start...count {
                let parts = Rectangle.covering(start..<end, of: tensor)
                #expect(parts.flatMap { indices($0, in: tensor) } == Array(start..<end))
                #expect(parts.allSatisfy { $0.lies(in: tensor) } && parts.count <= 2 * tensor.count - 1)
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
        #expect(!Rectangle(offset: [Int.max, 0], shape: [1, 1]).lies(in: [4, 4]))
        #expect(!Rectangle(offset: [0, 0], shape: [5, 1]).lies(in: [4, 4]))
        #expect(Rectangle(offset: [4, 0], shape: [0, 4]).lies(in: [4, 4]))
    }
}
