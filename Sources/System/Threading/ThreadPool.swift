import CPlatform

/// A fixed team of threads: the caller and `count - 1` helpers that wait for work.
///
/// Tasks are numbered and taken in any order by any thread, so a task's result must depend on its number alone; then
/// results do not depend on the number of threads. Libraries called inside a task run single-threaded.
package final class ThreadPool: Sendable {
    /// Threads, the caller included.
    package let count: Int
    /// Told what the thread that hands out the work is busy with, and when which thread runs tasks, if anybody asks.
    package let tracer: Tracer?
    private let crew: WorkerThreads

    package init(count: Int, tracer: Tracer? = nil) {
        precondition(count >= 1)
        self.count = count
        self.tracer = tracer
        crew = WorkerThreads(helpers: count - 1)
        prepareThread()
    }

    /// The same helpers, for another thread that hands out work and has a tracer of its own. The two take turns.
    package init(sharing other: ThreadPool, tracer: Tracer?) {
        count = other.count
        crew = other.crew
        self.tracer = tracer
    }

    /// Makes the calling thread one that may hand out work; the thread that made the workers is one.
    package func prepareCallingThread() { prepareThread() }

    /// Calls `body(worker, task)` for every task in `0..<tasks`, on all threads, and returns when all are done.
    ///
    /// Called from one thread at a time and never from inside a body.
    /// - Parameters:
    ///   - tasks: their number
    ///   - body: `worker` in `0..<count` names the thread, for scratch memory of its own
    package func run(_ tasks: Int, _ body: @Sendable (_ worker: Int, _ task: Int) -> Void) {
        guard let tracer, tracer.recordsTasks(of: count) else { return handOut(tasks, body) }
        tracer.beginTasks()
        handOut(tasks) { worker, task in tracer.task(on: worker) { body(worker, task) } }
    }

    private func handOut(_ tasks: Int, _ body: @Sendable (_ worker: Int, _ task: Int) -> Void) {
        if count == 1 || tasks <= 1 {
            for task in 0..<max(tasks, 0) { body(0, task) }
        } else {
            crew.team.run(tasks, body)
        }
    }

    /// Calls `body` with consecutive ranges of `tile` indices that cover `0..<extent`; the last may be shorter.
    package func run(over extent: Int, tile: Int, _ body: @Sendable (Range<Int>) -> Void) {
        run((extent + tile - 1) / tile) { _, task in
            body(task * tile..<min((task + 1) * tile, extent))
        }
    }
}

/// The helpers, who go home with the last who can call them.
private final class WorkerThreads: Sendable {
    let team: PoolState
    private let threads: [JoinableThread]

    init(helpers: Int) {
        let team = PoolState(helpers: helpers)
        self.team = team
        threads = (0..<helpers).map { helper in
            JoinableThread {
                prepareThread()
                team.runLoop(as: helper)
            }
        }
    }

    deinit {
        team.shutDown()
        for thread in threads { thread.join() }
    }
}

/// What every thread that computes needs: both settings are per thread.
private func prepareThread() {
    platform_flush_subnormals()
    platform_single_openmp_thread()
}
