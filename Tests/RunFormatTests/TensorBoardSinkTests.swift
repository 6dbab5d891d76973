import Diagnostics
import Foundation
import RunFormat
import TestSupport
import Testing

/// Frames and messages are read here as their formats define them; `scripts/tensorboard-reference.py` reads runs with TensorBoard's own
/// reader.
@Suite("Event files for TensorBoard") struct TensorBoardSinkTests {
    /// A field of a message: its number, and its value or its bytes.
    private enum Field {
        case number(Int, UInt64)
        case bytes(Int, [UInt8])
    }

    /// Events as dictionaries of what a scalar needs.
    private struct Event {
        var step = 0
        var version: String?
        var startsSession = false
        var scalars: [String: Float] = [:]
        var texts: [String: String] = [:]
        /// The numbers of a histogram's fields, in their order.
        var histograms: [String: [Int: [Double]]] = [:]
    }

    private func littleEndian(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// CRC-32C bit by bit, masked as TFRecord does.
    private func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var rest = UInt32.max
        for byte in bytes {
            rest ^= UInt32(byte)
            for _ in 0..<8 { rest = rest & 1 == 1 ? rest >> 1 ^ 0x82F6_3B78 : rest >> 1 }
        }
        rest = ~rest
        return (rest >> 15 | rest << 17) &+ 0xA282_EAD8
    }

    private func messages(_ path: String) throws -> [[UInt8]] {
        var rest = ArraySlice(try Data(contentsOf: URL(filePath: path)))
        var messages: [[UInt8]] = []
        while !rest.isEmpty {
            let length = rest.prefix(8), count = Int(littleEndian(length))
            #expect(littleEndian(rest.dropFirst(8).prefix(4)) == UInt64(checksum(length)))
            let message = rest.dropFirst(12).prefix(count)
            #expect(message.count == count)
            #expect(littleEndian(rest.dropFirst(12 + count).prefix(4)) == UInt64(checksum(message)))
            messages.append(Array(message))
            rest = rest.dropFirst(16 + count)
        }
        return messages
    }

    private func fields(_ message: [UInt8]) -> [Field] {
        var rest = ArraySlice(message), fields: [Field] = []
        func variable() -> UInt64 {
            var number: UInt64 = 0, shift: UInt64 = 0
            while let byte = rest.popFirst() {
                number |= UInt64(byte & 0x7F) << shift
                guard byte & 0x80 != 0 else { break }
                shift += 7
            }
            return number
        }
        func fixed(_ count: Int) -> UInt64 {
            defer { rest = rest.dropFirst(count) }
            return littleEndian(rest.prefix(count))
        }
        while !rest.isEmpty {
            let tag = variable(), field = Int(tag >> 3)
            switch tag & 7 {
            case 0: fields.append(.number(field, variable()))
            case 1: fields.append(.number(field, fixed(8)))
            case 5: fields.append(.number(field, fixed(4)))
            default:
                let count = Int(variable())
                fields.append(.bytes(field, Array(rest.prefix(count))))
                rest = rest.dropFirst(count)
            }
        }
        return fields
    }

    private func event(_ message: [UInt8]) -> Event {
        var event = Event()
        for field in fields(message) {
            switch field {
            case .number(2, let step): event.step = Int(step)
            case .bytes(3, let version): event.version = String(decoding: version, as: UTF8.self)
            case .bytes(7, _): event.startsSession = true
            case .bytes(5, let summary):
                for case .bytes(1, let value) in fields(summary) { read(fields(value), into: &event) }
            default: break
            }
        }
        return event
    }

    private func read(_ value: [Field], into event: inout Event) {
        var tag = ""
        for case .bytes(1, let name) in value { tag = String(decoding: name, as: UTF8.self) }
        for case .number(2, let bits) in value { event.scalars[tag] = Float(bitPattern: UInt32(bits)) }
        for case .bytes(5, let histogram) in value {
            var numbers: [Int: [Double]] = [:]
            for field in fields(histogram) {
                switch field {
                case .number(let number, let bits): numbers[number] = [Double(bitPattern: bits)]
                case .bytes(let number, let packed):
                    numbers[number] = stride(from: 0, to: packed.count, by: 8).map {
                        Double(bitPattern: littleEndian(packed[$0..<$0 + 8]))
                    }
                }
            }
            event.histograms[tag] = numbers
        }
        for case .bytes(8, let tensor) in value {
            for case .bytes(8, let text) in fields(tensor) { event.texts[tag] = String(decoding: text, as: UTF8.self) }
        }
    }

    private func record(_ step: Int) -> StepRecord {
        var record = StepRecord()
        (record.step, record.loss, record.mfu, record.host) = (step, 2.5, 0.5, "node")
        record.droppedRatioByLayer = [0.25, 0.125]
        return record
    }

    private func files(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { "\(folder)/\($0)" }
    }

    @Test("the loads of a layer's experts are a histogram") func loads() throws {
        try inScratchFolder { folder in
            let sink = try TensorBoardSink("\(folder)/board", configuration: "")
            try sink.resume(after: 0)
            var loaded = record(1)
            loaded.expertLoad = [[30, 10, 0, 0], [1, 1]]
            try sink.append(loaded)
            let event = try #require(try messages(files("\(folder)/board")[0]).map(event).last)
            let first = try #require(event.histograms["expert_load/0"])
            // Over the mean: 3, 1, 0, 0.
            #expect((1...5).map { first[$0] } == [[0], [3], [4], [4], [10]])
            let limits = try #require(first[6]), counts = try #require(first[7])
            #expect(limits.count == counts.count && zip(limits, limits.dropFirst()).allSatisfy { $0 < $1 })
            #expect(counts.first == 2 && counts.last == 1 && counts.reduce(0, +) == 4)
            #expect(try #require(limits.last) >= 3 && event.histograms["expert_load/1"]?[7]?.reduce(0, +) == 2)
            #expect(!event.scalars.keys.contains { $0.contains("expert_load") })
        }
    }

    @Test("every number of a record is a scalar at its step, and the configuration a text") func scalars() throws {
        try inScratchFolder { folder in
            let sink = try TensorBoardSink("\(folder)/board", configuration: "seed: 1\n")
            try sink.resume(after: 0)
            var diverged = record(2)
            (diverged.loss, diverged.validationLoss) = (.infinity, 3)
            try sink.append(record(1))
            try sink.append(diverged)
            let files = try files("\(folder)/board")
            #expect(files.count == 1 && files[0].contains("events.out.tfevents."))
            let events = try messages(files[0]).map(event)
            #expect(events[0].version == "brain.Event:2")
            #expect(events[1].startsSession && events[1].step == 1)
            #expect(events[2].texts == ["configuration": "```yaml\nseed: 1\n```"])
            #expect(events.dropFirst(3).map(\.step) == [1, 2])
            #expect(events[3].scalars["loss/loss"] == 2.5 && events[3].scalars["speed/mfu"] == 0.5)
            #expect(events[3].scalars["dropped_ratio_by_layer/1"] == 0.125)
            #expect(events[3].scalars["loss/validation_loss"] == nil)
            #expect(events[4].scalars["loss/loss"] == .infinity && events[4].scalars["loss/validation_loss"] == 3)
            #expect(!events[3].scalars.keys.contains { $0.contains("host") || $0.contains("digest") })
        }
    }

    @Test("a job that goes on begins a file of its own, and leaves those before it") func resumed() throws {
        try inScratchFolder { folder in
            let first = try TensorBoardSink(folder, configuration: "")
            try first.resume(after: 0)
            for step in 1...3 { try first.append(record(step)) }
            let before = try Data(contentsOf: URL(filePath: files(folder)[0]))
            let second = try TensorBoardSink(folder, configuration: "")
            try second.resume(after: 2)
            try second.append(record(3))
            let files = try files(folder)
            #expect(files.count == 2)
            #expect(try Data(contentsOf: URL(filePath: files[0])) == before)
            let events = try messages(files[1]).map(event)
            #expect(events[1].startsSession && events[1].step == 3)
            #expect(events[3].step == 3 && !events[3].scalars.isEmpty)
        }
    }

    /// RFC 3720, B.4: of 32 zeros the CRC-32C is 0x8A9136AA.
    @Test("the checksum of this test is the published one") func published() {
        let crc: UInt32 = 0x8A91_36AA
        #expect(checksum(ArraySlice([UInt8](repeating: 0, count: 32))) == (crc >> 15 | crc << 17) &+ 0xA282_EAD8)
    }
}
