/// What the time of a trace went into: every span's own time, without that of the spans in it. Own times add up to the
/// duration of the outermost spans.
/// - Parameters:
///   - spans: as `Tracer.take` gives them
///   - add: gets each span's phase, the phases around it, outermost first, and its own nanoseconds
package func forEachOwnTime(
    _ spans: [TraceInterval], _ add: (_ phase: Phase, _ around: [Phase], _ nanoseconds: Int64) -> Void
) {
    var own = spans.map(\.duration)
    var open: [Int] = []
    for (index, span) in spans.enumerated() {
        open.removeSubrange(Int(span.depth)...)
        if let parent = open.last { own[parent] -= span.duration }
        open.append(index)
    }
    open.removeAll()
    for (index, span) in spans.enumerated() {
        open.removeSubrange(Int(span.depth)...)
        add(span.phase, open.map { spans[$0].phase }, own[index])
        open.append(index)
    }
}
