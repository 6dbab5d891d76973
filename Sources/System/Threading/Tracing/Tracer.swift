/// One stretch of time that a rank spent on something.
package struct TraceInterval: Sendable, Equatable {
    package var phase: Phase
    /// Which layer, step, micro-batch or bucket; −1 if there is but one.
    package var number: Int32
    /// How many spans it lies in.
    package var depth: Int32
    /// Nanoseconds since the tracer's time zero.
    package var start: Int64
    package var duration: Int64
    /// Bytes that it is about; −1 if nobody counts them.
    package var bytes: Int64

    package init(
        _ phase: Phase, number: Int32 = -1, depth: Int32, start: Int64, duration: Int64, bytes: Int64 = -1
    ) {
        self.phase = phase
        self.number = number
        self.depth = depth
        self.start = start
        self.duration = duration
        self.bytes = bytes
    }

    package var end: Int64 { start + duration }
}

/// Records what a rank does, as spans that lie within each other, in memory taken beforehand: a quarter of a microsecond a
/// span while it records, a comparison while it does not.
package final class Tracer: @unchecked Sendable {
    // Unchecked because one thread records spans, the one that takes a rank's steps, a micro-batch of them or a step's sums,
    // and changes what others read while they are idle; each thread of its team writes to a track of its own.
    private var spans: [TraceInterval] = []
    private var open: [Int] = []
    /// By thread of the team, which micro-batches in flight use in turns.
    private let tasks: [TaskTrack]
    private let capacity: Int
    private let clock = ContinuousClock()
    private var zero: ContinuousClock.Instant
    /// Whether spans are kept. Changed between steps only, when none is open.
    package var isRecording = false { didSet { for other in others { other.isRecording = isRecording } } }
    /// Those of the rank's other threads that take part in its steps, but for the team.
    package private(set) var others: [Tracer] = []
    /// What it records, for who looks at several.
    package let name: String
    /// Spans there was no room for since the last `take`.
    package private(set) var droppedEvents = 0

    /// - Parameters:
    ///   - capacity: spans between two calls of `take`, and of each thread's track
    ///   - threads: of the team whose threads get a track each; 0: none do
    package convenience init(capacity: Int = 1 << 17, threads: Int = 0) {
        self.init("steps", capacity: capacity, (0..<threads).map { _ in TaskTrack(capacity: capacity) })
    }

    private init(_ name: String, capacity: Int, _ tasks: [TaskTrack]) {
        self.name = name
        self.capacity = capacity
        self.tasks = tasks
        spans.reserveCapacity(capacity)
        open.reserveCapacity(64)
        zero = clock.now
    }

    /// Makes now the time zero: called by all ranks as they leave a barrier, it makes their times comparable.
    package func setZero() {
        zero = clock.now
        for other in others { other.zero = zero }
    }

    /// A tracer for another thread of the same rank and team: it has the same time zero and records when this one does.
    package func addThread(_ name: String) -> Tracer {
        let other = Tracer(name, capacity: capacity, tasks)
        other.zero = zero
        other.isRecording = isRecording
        others.append(other)
        return other
    }

    /// Opens a span within the one that is open. Every `begin` has its `end`.
    package func begin(_ phase: Phase, _ number: Int = -1, bytes: Int = -1) {
        guard isRecording else { return }
        guard spans.count < capacity else {
            droppedEvents += 1
            open.append(-1)
            return
        }
        let depth = Int32(open.count)
        open.append(spans.count)
        spans.append(
            TraceInterval(
                phase, number: Int32(truncatingIfNeeded: number), depth: depth, start: now, duration: 0,
                bytes: Int64(bytes)))
    }

    package func end() {
        guard isRecording, let index = open.popLast(), index >= 0 else { return }
        spans[index].duration = now - spans[index].start
    }

    /// The spans since the last call, in the order in which they began; whoever is inside another comes after it.
    package func drain() -> [TraceInterval] {
        precondition(open.isEmpty, "a span is open")
        defer {
            spans.removeAll(keepingCapacity: true)
            droppedEvents = 0
        }
        return Array(spans)
    }

    /// Whether a team of `threads` threads should tell when they run tasks.
    package func recordsTasks(of threads: Int) -> Bool { isRecording && threads <= tasks.count }

    /// Before a team takes the tasks of another kernel: they belong to the innermost open span.
    package func beginTasks() {
        let around = open.last { $0 >= 0 }.map { spans[$0] } ?? TraceInterval(.step, depth: 0, start: 0, duration: 0)
        for track in tasks { track.begin(around) }
    }

    /// Runs a task on thread `worker` of the team. Tasks of one kernel and thread make one span, from the first to the last.
    package func task(on worker: Int, _ body: () -> Void) {
        let start = now
        body()
        tasks[worker].add(start: start, end: now)
    }

    /// What the threads ran since the last call, a list for each.
    package func drainTasks() -> [[TraceInterval]] { tasks.map { $0.drain() } }

    /// Of the threads' spans, those there was no room for since the last `drainTasks`.
    package var droppedTaskEvents: Int { tasks.reduce(0) { $0 + $1.droppedEvents } }

    private var now: Int64 {
        let (seconds, attoseconds) = (clock.now - zero).components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
