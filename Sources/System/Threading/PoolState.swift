import CPlatform
import Dispatch
import Platform
import Synchronization

/// What the threads of a `ThreadPool` share: the current job and who is still at it.
final class PoolState: @unchecked Sendable {
    // Unchecked because of `body`: written before `generation` is released, read after it was acquired.
    private var body: (@Sendable (Int, Int) -> Void)?
    private let generation = Atomic<Int>(0)
    private let nextTask = Atomic<Int>(0)
    private let tasks = Atomic<Int>(0)
    private let busyWorkers = Atomic<Int>(0)
    private let dismissed = Atomic<Bool>(false)
    private let asleep: [Parker]

    /// A steady step hands out work every few microseconds: waiting threads look this often before they sleep.
    private static let spinsBeforeParking = 4_000
    /// And this often before they offer their processor to others, which matters where threads outnumber processors.
    private static let spinsBeforeYielding = 100

    init(helpers: Int) { asleep = (0..<helpers).map { _ in Parker() } }

    func run(_ count: Int, _ body: @Sendable (Int, Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            self.body = body
            tasks.store(count, ordering: .relaxed)
            nextTask.store(0, ordering: .relaxed)
            busyWorkers.store(asleep.count, ordering: .relaxed)
            generation.wrappingAdd(1, ordering: .sequentiallyConsistent)
            for sleeper in asleep { sleeper.unpark() }
            takeTasks(as: 0, body)
            var looks = 0
            while busyWorkers.load(ordering: .acquiring) > 0 { Self.pause(&looks) }
            self.body = nil
        }
    }

    /// The life of helper `helper`: wait for a job, take its tasks, again.
    func runLoop(as helper: Int) {
        var seen = 0
        while true {
            waitForJob(after: seen, asleep[helper])
            seen &+= 1
            if dismissed.load(ordering: .acquiring) { return }
            if let body { takeTasks(as: helper + 1, body) }
            busyWorkers.wrappingSubtract(1, ordering: .acquiringAndReleasing)
        }
    }

    func shutDown() {
        dismissed.store(true, ordering: .releasing)
        generation.wrappingAdd(1, ordering: .sequentiallyConsistent)
        for sleeper in asleep { sleeper.unpark() }
    }

    private func takeTasks(as worker: Int, _ body: (Int, Int) -> Void) {
        let count = tasks.load(ordering: .relaxed)
        while true {
            let task = nextTask.wrappingAdd(1, ordering: .relaxed).oldValue
            guard task < count else { return }
            body(worker, task)
        }
    }

    private static func pause(_ looks: inout Int) {
        looks += 1
        if looks % spinsBeforeYielding == 0 { sched_yield() } else { platform_pause() }
    }

    private func waitForJob(after seen: Int, _ sleeper: Parker) {
        while true {
            var looks = 0
            while looks < Self.spinsBeforeParking {
                if generation.load(ordering: .acquiring) != seen { return }
                Self.pause(&looks)
            }
            // A ring may be that of the job just done: its caller was set aside before it rang, we were awake, finished
            // and lay down. So a ring is a reason to look again and nothing more.
            sleeper.park { generation.load(ordering: .sequentiallyConsistent) == seen }
        }
    }
}

/// One helper's bed: `sleep` returns once `wake` was called or the reason to sleep is gone.
private final class Parker: Sendable {
    private let sleeping = Atomic<Bool>(false)
    private let bell = DispatchSemaphore(value: 0)

    func park(while reason: () -> Bool) {
        sleeping.store(true, ordering: .sequentiallyConsistent)
        if reason() {
            bell.wait()
        } else if !sleeping.exchange(false, ordering: .sequentiallyConsistent) {
            bell.wait()  // somebody saw us go to bed and has rung or is about to: take the ring
        }
    }

    func unpark() {
        if sleeping.exchange(false, ordering: .sequentiallyConsistent) { bell.signal() }
    }
}
