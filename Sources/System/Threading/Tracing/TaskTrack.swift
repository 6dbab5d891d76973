/// When one thread ran tasks, in memory taken beforehand. Written by that thread; begun and emptied while it is idle.
final class TaskTrack {
    private var spans: [TraceInterval] = []
    private let capacity: Int
    private var around = TraceInterval(.step, depth: 0, start: 0, duration: 0)
    /// Whether the last span belongs to the current kernel, and whether that found no room for one.
    private var isOpen = false, isLost = false
    private(set) var droppedEvents = 0

    init(capacity: Int) {
        self.capacity = capacity
        spans.reserveCapacity(capacity)
    }

    func begin(_ span: TraceInterval) {
        around = span
        (isOpen, isLost) = (false, false)
    }

    func add(start: Int64, end: Int64) {
        if isOpen {
            spans[spans.count - 1].duration = end - spans[spans.count - 1].start
        } else if spans.count < capacity {
            spans.append(
                TraceInterval(around.phase, number: around.number, depth: 0, start: start, duration: end - start))
            isOpen = true
        } else if !isLost {
            droppedEvents += 1
            isLost = true
        }
    }

    func drain() -> [TraceInterval] {
        defer {
            spans.removeAll(keepingCapacity: true)
            (isOpen, isLost, droppedEvents) = (false, false, 0)
        }
        return Array(spans)
    }
}
