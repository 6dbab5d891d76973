import Platform
import Tensors
import Testing
import Threading

@Suite(.timeLimit(.minutes(60))) struct WorkersTests {
    @Test(arguments: [1, 2, 3, 5, 8]) func everyTaskRunsOnceOnAWorkerOfTheTeam(threads: Int) {
        let workers = ThreadPool(count: threads)
        #expect(workers.count == threads)
        for tasks in [0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 1000, 20_000] {
            let runs = Vector<Int32>(count: tasks), by = Vector<Int32>(count: tasks)
            workers.run(tasks) { worker, task in
                runs[task] += 1
                by[task] = Int32(worker)
            }
            #expect((0..<tasks).allSatisfy { runs[$0] == 1 }, "\(tasks) tasks on \(threads) threads")
            #expect((0..<tasks).allSatisfy { (0..<threads).contains(Int(by[$0])) })
        }
        workers.run(-1) { _, _ in Issue.record("a task of no job") }
    }

    @Test(arguments: [1, 2, 4]) func rangesCoverTheExtentOnce(threads: Int) {
        let workers = ThreadPool(count: threads)
        for extent in [0, 1, 63, 64, 65, 127, 128, 129, 1000] {
            for tile in [1, 7, 64, 5000] {
                let seen = Vector<Int32>(count: extent)
                workers.run(over: extent, tile: tile) { range in
                    if range.isEmpty || range.count > tile || range.lowerBound % tile != 0 {
                        Issue.record("range \(range) for tiles of \(tile)")
                    }
                    for i in range { seen[i] += 1 }
                }
                #expect((0..<extent).allSatisfy { seen[$0] == 1 }, "extent \(extent), tile \(tile)")
            }
        }
    }

    /// A worker's number is its own: memory chosen by it is never shared between running tasks.
    @Test func aWorkerRunsOneTaskAtATime() {
        let workers = ThreadPool(count: 3), busy = Vector<Int32>(count: 3), clashes = Vector<Int32>(count: 3)
        workers.run(3000) { worker, _ in
            if busy[worker] != 0 { clashes[worker] += 1 }
            busy[worker] = 1
            for _ in 0..<50 { busy[worker] += 1 }
            busy[worker] = 0
        }
        #expect(clashes.array == [0, 0, 0])
    }

    /// What one job wrote, the next job reads on any thread; nothing is lost between thousands of short jobs.
    @Test(arguments: [2, 3]) func manyJobsInARow(threads: Int) {
        let workers = ThreadPool(count: threads), cells = Vector<Int64>(count: 17), jobs = 5000
        for job in 0..<jobs {
            workers.run(17) { _, task in cells[task] += Int64(job % 3 + task) }
        }
        let expected = (0..<17).map { task in (0..<jobs).reduce(Int64(0)) { $0 + Int64($1 % 3 + task) } }
        #expect(cells.array == expected)
    }

    /// Helpers left alone fall asleep; a job must wake them, and sleepers must not use the processor.
    @Test func sleepersWake() {
        let workers = ThreadPool(count: 3), cells = Vector<Int32>(count: 12)
        for pause in [0, 1, 100, 2000, 50_000, 3, 20_000] as [UInt32] {
            for _ in 0..<5 {
                usleep(pause)
                workers.run(12) { _, task in
                    cells[task] += 1
                    usleep(20)
                }
            }
        }
        #expect(cells.array == Array(repeating: 35, count: 12))
    }

    /// More threads than processors: the caller is often set aside between announcing a job and waking its helpers, who
    /// meanwhile finish it and lie down again. A ring that comes late must not be taken for another job.
    @Test func lateRingsAreNotJobs() {
        let workers = ThreadPool(count: 12), cells = Vector<Int32>(count: 24), jobs = 2000
        for job in 0..<jobs {
            if job % 10 == 0 { usleep(300) }
            workers.run(24) { _, task in cells[task] += 1 }
        }
        #expect(cells.array == Array(repeating: Int32(jobs), count: 24))
    }

    /// With a task that waits for another to start, all threads must be at work at once.
    @Test func tasksRunAtTheSameTime() {
        let workers = ThreadPool(count: 4), started = Monitor(0)
        for _ in 0..<20 {
            started.update { $0 = 0 }
            workers.run(4) { _, _ in
                started.update { $0 += 1 }
                _ = started.wait { $0 == 4 ? true : nil }
            }
        }
    }

    /// Two kernels whose tasks wait for each other, so that both threads run some: a span each, of the kernel's name.
    @Test func tasksAreTraced() {
        let tracer = Tracer(threads: 2), workers = ThreadPool(count: 2, tracer: tracer), started = Monitor(0)
        func kernel(_ phase: Phase) {
            tracer.begin(phase, 5)
            started.update { $0 = 0 }
            workers.run(2) { _, _ in
                started.update { $0 += 1 }
                _ = started.wait { $0 == 2 ? true : nil }
            }
            workers.run(0) { _, _ in }
            tracer.end()
        }
        kernel(.products)
        #expect(tracer.drainTasks() == [[], []], "nobody asked yet")
        tracer.isRecording = true
        kernel(.products)
        kernel(.attention)
        let kernels = tracer.drain(), tasks = tracer.drainTasks()
        for track in tasks {
            #expect(track.map(\.phase) == [.products, .attention] && track.map(\.number) == [5, 5])
            for (task, around) in zip(track, kernels) {
                #expect(around.start <= task.start && task.end <= around.end)
            }
        }
        #expect(tracer.droppedTaskEvents == 0)
    }

    /// Many tasks of one kernel are one span; what has no room is counted.
    @Test func aFullTrackLosesKernels() {
        let tracer = Tracer(capacity: 2, threads: 1), workers = ThreadPool(count: 1, tracer: tracer)
        tracer.isRecording = true
        for _ in 0..<3 { workers.run(10) { _, _ in } }
        #expect(tracer.droppedTaskEvents == 1)
        #expect(tracer.drainTasks().map(\.count) == [2])
        #expect(tracer.droppedTaskEvents == 0)
    }

    /// Teams come and go, used and unused, without leaving threads that wait for ever.
    @Test func teamsEnd() {
        for round in 0..<100 {
            let workers = ThreadPool(count: 1 + round % 4)
            if round % 3 > 0 { workers.run(round) { _, _ in } }
        }
    }
}

@Suite struct MonitorTests {
    @Test func aWaitWithALimitEndsWithoutAChangeAndAtOnceWithOne() {
        let monitor = Monitor(0)
        #expect(monitor.wait(upTo: .milliseconds(1)) { $0 > 0 ? $0 : nil } == nil)
        let thread = JoinableThread { monitor.update { $0 = 7 } }
        #expect(monitor.wait(upTo: .seconds(600)) { $0 > 0 ? $0 : nil } == 7)
        thread.join()
    }
}
