import Tensors
package import Threading

/// Bytes a second between memory and all threads, for arrays that no cache holds.
package struct MemoryBandwidth: Codable, Sendable, Equatable {
    package var read: Sample
    /// One array to another; bytes read and bytes written, not the reading of lines before they are written.
    package var copy: Sample
    /// Reads and writes in place.
    package var update: Sample

    /// - Parameters:
    ///   - workers: the threads that are measured
    ///   - megabytes: of each of the two arrays
    ///   - repetitions: of each measurement
    package static func measure(on workers: ThreadPool, megabytes: Int = 256, repetitions: Int = 5) -> MemoryBandwidth {
        let count = megabytes << 18, bytes = Double(count) * 4
        let a = Vector<Float>(count: count), b = Vector<Float>(count: count)
        let sums = Vector<Float>(count: workers.count)
        let tile = max(1 << 16, (count + workers.count - 1) / workers.count / 16 * 16)
        func overTiles(_ body: @Sendable (_ worker: Int, _ range: Range<Int>) -> Void) -> Sample {
            secondsPerCall(repetitions: repetitions, filling: 0) {
                workers.run((count + tile - 1) / tile) { worker, task in
                    body(worker, task * tile..<min((task + 1) * tile, count))
                }
            }
        }
        return MemoryBandwidth(
            read: overTiles { worker, range in sums[worker] += sumOf(a[range].span) }.rate(of: bytes),
            copy: overTiles { _, range in b[range].copy(from: a[range]) }.rate(of: 2 * bytes),
            update: overTiles { _, range in
                var target = unsafe b[range].unsafeMutableSpan
                for i in 0..<target.count { target[i] = target[i] * 0.5 + 1 }
            }.rate(of: 2 * bytes))
    }

    private static func sumOf(_ values: Span<Float>) -> Float {
        var s0 = SIMD16<Float>(), s1 = s0, s2 = s0, s3 = s0
        var i = 0
        let n = values.count
        while i &+ 64 <= n {
            s0 += values.sixteen(at: i)
            s1 += values.sixteen(at: i &+ 16)
            s2 += values.sixteen(at: i &+ 32)
            s3 += values.sixteen(at: i &+ 48)
            i &+= 64
        }
        return (s0 + s1 + s2 + s3).sum()
    }
}
