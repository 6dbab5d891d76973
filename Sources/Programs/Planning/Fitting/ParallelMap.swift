import Dispatch
import Synchronization

/// `transform` of every index on all cores, in the order of the indices. `progress` hears how many are done, from any
/// thread, one call at a time.
func parallelMap<T: Sendable>(
    _ count: Int, progress: @Sendable (Int) -> Void = { _ in }, _ transform: @Sendable (Int) -> T
) -> [T] {
    let results = Mutex<(values: [T?], done: Int)>((Array(repeating: nil, count: count), 0))
    DispatchQueue.concurrentPerform(iterations: count) { index in
        let value = transform(index)
        results.withLock { state in
            state.values[index] = value
            state.done += 1
            progress(state.done)
        }
    }
    return results.withLock { $0.values.compactMap(\.self) }
}
