import Diagnostics

/// One record of an event file: TensorFlow's `Event` (`tensorflow/core/util/event.proto`, `framework/summary.proto`), of which these few
/// fields are written; the numbers of fields are theirs.
struct TensorBoardEvent {
    enum Content {
        /// The first event of a file.
        case fileVersion
        /// What other files have from this step on no longer holds.
        case sessionStart
        case summary([Value])
    }

    enum Value {
        case scalar(String, Float)
        case histogram(String, Histogram)
        /// Markdown.
        case text(String, String)
    }

    /// Seconds since 1970.
    let time: Double
    let step: Int
    let content: Content

    init(time: Double, step: Int, _ content: Content) {
        (self.time, self.step, self.content) = (time, step, content)
    }

    /// TFRecord's frame: the length (u64), its checksum, the message, its checksum; all little-endian.
    var record: [UInt8] {
        let message = message.bytes, length = bytes(of: UInt64(message.count))
        return length + bytes(of: maskedCRC32C(length)) + message + bytes(of: maskedCRC32C(message))
    }

    private var message: ProtocolBuffer {
        var event = ProtocolBuffer()
        event.add(1, double: time)
        event.add(2, integer: step)
        switch content {
        case .fileVersion: event.add(3, text: "brain.Event:2")
        case .summary(let values):
            var summary = ProtocolBuffer()
            for value in values { summary.add(1, message: value.message) }
            event.add(5, message: summary)
        case .sessionStart:
            var session = ProtocolBuffer()
            session.add(1, integer: 1)  // START
            event.add(7, message: session)
        }
        return event
    }
}

extension TensorBoardEvent.Value {
    /// `Summary.Value`
    fileprivate var message: ProtocolBuffer {
        var value = ProtocolBuffer()
        switch self {
        case .scalar(let tag, let number):
            value.add(1, text: tag)
            value.add(2, float: number)
        case .histogram(let tag, let histogram):
            value.add(1, text: tag)
            value.add(5, message: histogram.message)
        case .text(let tag, let text):
            value.add(1, text: tag)
            var plugin = ProtocolBuffer(), metadata = ProtocolBuffer()
            plugin.add(1, text: "text")
            metadata.add(1, message: plugin)
            metadata.add(4, integer: 2)  // DATA_CLASS_TENSOR
            value.add(9, message: metadata)
            // `TensorProto` of one string, of rank 0
            var tensor = ProtocolBuffer()
            tensor.add(1, integer: 7)  // DT_STRING
            tensor.add(2, message: ProtocolBuffer())
            tensor.add(8, text: text)
            value.add(8, message: tensor)
        }
        return value
    }
}

extension Histogram {
    /// `HistogramProto`
    fileprivate var message: ProtocolBuffer {
        var message = ProtocolBuffer()
        for (field, number) in [least, greatest, Double(count), sum, sumOfSquares].enumerated() {
            message.add(field + 1, double: number)
        }
        message.add(6, packed: limits)
        message.add(7, packed: counts.map(Double.init))
        return message
    }
}

/// A message in Protocol Buffers' wire format, field by field.
private struct ProtocolBuffer {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ field: Int, integer: Int) {
        tag(field, 0)
        variable(UInt64(bitPattern: Int64(integer)))
    }

    mutating func add(_ field: Int, double: Double) {
        tag(field, 1)
        bytes += RunFormat.bytes(of: double.bitPattern)
    }

    mutating func add(_ field: Int, float: Float) {
        tag(field, 5)
        bytes += RunFormat.bytes(of: float.bitPattern)
    }

    mutating func add(_ field: Int, packed numbers: [Double]) {
        add(field, numbers.flatMap { RunFormat.bytes(of: $0.bitPattern) })
    }

    mutating func add(_ field: Int, text: String) { add(field, Array(text.utf8)) }

    mutating func add(_ field: Int, message: ProtocolBuffer) { add(field, message.bytes) }

    private mutating func add(_ field: Int, _ content: [UInt8]) {
        tag(field, 2)
        variable(UInt64(content.count))
        bytes += content
    }

    private mutating func tag(_ field: Int, _ wireType: Int) { variable(UInt64(field << 3 | wireType)) }

    /// Seven bits a byte, the lowest first.
    private mutating func variable(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

private func bytes(of number: some FixedWidthInteger) -> [UInt8] {
    (0..<number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}

/// TFRecord's checksum: CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), rotated right by 15 bits, plus 0xA282EAD8.
func maskedCRC32C(_ bytes: [UInt8]) -> UInt32 {
    var crc = ~UInt32(0)
    for byte in bytes { crc = crc >> 8 ^ castagnoli[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] }
    crc = ~crc
    return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
}

/// The remainder of each byte.
private let castagnoli: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { rest, _ in rest & 1 == 1 ? rest >> 1 ^ 0x82F6_3B78 : rest >> 1 }
}
