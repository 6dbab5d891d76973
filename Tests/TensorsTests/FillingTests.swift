import Tensors
import Testing

/// Windows are filled and copied to their last element and no further.
@Suite struct FillingTests {
    @Test(arguments: [0, 1, 5]) func vectors(count: Int) {
        let all = Vector<Float>(count: count + 2), source = Vector((0..<count).map { Float($0 + 1) })
        all.fill(with: -1)
        all[1..<count + 1].copy(from: source)
        #expect(all.array == [-1] + source.array + [-1])
        all[1..<count + 1].fill(with: -0.0)
        #expect(all.array.map(\.bitPattern) == ([-1] + [Float](repeating: -0.0, count: count) + [-1]).map(\.bitPattern))
    }

    @Test func columnsOfAMatrix() {
        let all = Tensor(rows: 3, columns: 4), source = Tensor(rows: 2, columns: 2)
        for row in 0..<2 { for column in 0..<2 { source[row, column] = Float(2 * row + column + 1) } }
        let window = all.rows(1..<3).columns(1..<3)
        window.copy(from: source)
        #expect(all.vector.array == [0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0])
        window.fill(with: 7)
        #expect(all.vector.array == [0, 0, 0, 0, 0, 7, 7, 0, 0, 7, 7, 0])
    }

    @Test func otherLengthsAreRefused() async {
        await #expect(processExitsWith: .failure) { Vector<Float>(count: 2).copy(from: Vector(count: 3)) }
        await #expect(processExitsWith: .failure) {
            Tensor(rows: 2, columns: 2).copy(from: Tensor(rows: 4, columns: 1))
        }
    }
}
