import Testing
import Threading

struct TracerTests {
    @Test func spansLieWithinEachOther() throws {
        let tracer = Tracer()
        tracer.isRecording = true
        tracer.begin(.step, 7)
        tracer.begin(.microBatch)
        tracer.begin(.products)
        tracer.end()
        tracer.end()
        tracer.begin(.update)
        tracer.end()
        tracer.end()
        let spans = tracer.drain()
        #expect(spans.map(\.phase) == [.step, .microBatch, .products, .update])
        #expect(spans.map(\.depth) == [0, 1, 2, 1])
        #expect(spans.map(\.number) == [7, -1, -1, -1])
        for (outer, inner) in [(0, 1), (1, 2), (0, 3)] {
            #expect(spans[outer].start <= spans[inner].start && spans[inner].end <= spans[outer].end)
        }
        #expect(spans[1].end <= spans[3].start)
        #expect(tracer.drain().isEmpty)
    }

    /// Another thread's tracer records when the first does and on the same clock, but into a track of its own.
    @Test func anotherThreadHasATracerOfItsOwn() {
        let tracer = Tracer(), other = tracer.addThread("other")
        tracer.isRecording = true
        tracer.setZero()
        tracer.begin(.step)
        other.begin(.reduction, 3, bytes: 64)
        other.end()
        tracer.end()
        let outer = tracer.drain(), inner = other.drain()
        #expect(outer.map(\.phase) == [.step] && outer.map(\.bytes) == [-1])
        #expect(inner.map(\.phase) == [.reduction] && inner.map(\.bytes) == [64])
        #expect(outer[0].start <= inner[0].start && inner[0].end <= outer[0].end)
        #expect(tracer.others.map(\.name) == ["other"])
        tracer.isRecording = false
        other.begin(.reduction)
        other.end()
        #expect(other.drain().isEmpty)
    }

    @Test func nothingIsKeptWhileNobodyAsks() {
        let tracer = Tracer()
        tracer.begin(.step)
        tracer.end()
        #expect(tracer.drain().isEmpty)
    }

    /// What has no room is counted, and what encloses it still ends.
    @Test func aFullTracerLosesTheInnermost() {
        let tracer = Tracer(capacity: 2)
        tracer.isRecording = true
        tracer.begin(.step)
        for _ in 0..<3 {
            tracer.begin(.microBatch)
            tracer.end()
        }
        tracer.end()
        #expect(tracer.droppedEvents == 2)
        #expect(tracer.drain().map(\.phase) == [.step, .microBatch])
        #expect(tracer.droppedEvents == 0)
    }

    @Test func ownTimesAddUp() {
        let spans = [
            TraceInterval(.step, depth: 0, start: 0, duration: 100),
            TraceInterval(.microBatch, depth: 1, start: 10, duration: 60),
            TraceInterval(.forward, depth: 2, start: 20, duration: 30),
            TraceInterval(.products, depth: 3, start: 20, duration: 25),
            TraceInterval(.waiting, depth: 2, start: 50, duration: 10),
            TraceInterval(.update, depth: 1, start: 80, duration: 15),
        ]
        var own: [Phase: Int64] = [:], around: [Phase: [Phase]] = [:]
        forEachOwnTime(spans) { phase, outer, nanoseconds in
            own[phase] = nanoseconds
            around[phase] = outer
        }
        #expect(
            own == [.step: 25, .microBatch: 20, .forward: 5, .products: 25, .waiting: 10, .update: 15])
        #expect(around[.products] == [.step, .microBatch, .forward])
        #expect(around[.update] == [.step])
    }
}
