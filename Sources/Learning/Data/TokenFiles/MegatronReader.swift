import Diagnostics
import Platform

extension ForeignTokenFile {
    /// What `MegatronWriter` and Megatron's `IndexedDataset` write; the layout is described there.
    static func megatron(index: MappedFile, tokens: MappedFile) throws(Failure) -> ForeignTokenFile {
        let head = 34, magic = Array("MMIDIDX\0\0".utf8), bytes = index.bytes
        guard index.count >= head, magic.indices.allSatisfy({ bytes[$0] == magic[$0] }), bytes.word(at: 9) == 1 else {
            throw Failure(
                .data, "\(index.path) is no index of Megatron's, version 1",
                advice: "it should begin with MMIDIDX; a file of bare tokens must not have an .idx beside it")
        }
        let width: TokenWidth
        switch bytes[17] {
        case 1: width = .one
        case 4: width = .four
        case 5: width = .eight
        case 8: width = .two
        default:
            throw Failure(
                .data, "\(index.path) is of tokens of type \(bytes[17]); 1 (u8), 4 (i32), 5 (i64) and 8 (u16) are read")
        }
        let sequences = bytes.word(at: 18), boundaries = bytes.word(at: 26)
        let most = UInt64(index.count)
        guard sequences <= most, boundaries <= most, boundaries > 0 else {
            throw truncated(index, "\(sequences) sequences and \(boundaries) document boundaries")
        }
        let modes = head + 12 * Int(sequences) + 8 * Int(boundaries)
        guard index.count == modes || index.count == modes + Int(sequences) else {
            throw truncated(index, "\(sequences) sequences and \(boundaries) document boundaries")
        }
        // A multimodal data set has a byte for each sequence at the end: 0 is text.
        if let other = (modes..<index.count).first(where: { bytes[$0] != 0 }) {
            throw Failure(
                .data, "\(index.path): sequence \(other - modes) has mode \(bytes[other]): it is no text",
                advice: "train on the sequences of mode 0 alone")
        }
        return try read(index, tokens, width, sequences: Int(sequences), boundaries: Int(boundaries), from: head)
    }

    private static func read(
        _ index: MappedFile, _ tokens: MappedFile, _ width: TokenWidth, sequences: Int, boundaries: Int, from head: Int
    ) throws(Failure) -> ForeignTokenFile {
        let bytes = index.bytes, offsets = head + 4 * sequences, documents = offsets + 8 * sequences
        // Ends of the sequences, in tokens; the first entry is the beginning.
        var ends = [0]
        for sequence in 0..<sequences {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[head + 4 * sequence + $1]) << (8 * $1) }
            guard length <= tokens.count,
                bytes.word(at: offsets + 8 * sequence) == UInt64(ends[sequence] * width.rawValue)
            else { throw Failure(.data, "\(index.path): sequence \(sequence) does not follow the one before it") }
            ends.append(ends[sequence] + length)
        }
        guard ends[sequences] * width.rawValue == tokens.count else {
            throw Failure(
                .data, "\(tokens.path) has \(tokens.count) bytes, its index speaks of \(ends[sequences]) tokens",
                advice: "index and tokens belong to different files, or one is truncated")
        }
        var documentEnds: [Int] = []
        var last: UInt64 = 0
        for number in 0..<boundaries {
            let boundary = bytes.word(at: documents + 8 * number)
            guard number == 0 ? boundary == 0 : boundary >= last, boundary <= UInt64(sequences) else {
                throw Failure(.data, "\(index.path): document boundary \(number) is out of order")
            }
            last = boundary
            if number > 0 { documentEnds.append(ends[Int(boundary)]) }
        }
        guard last == UInt64(sequences) else {
            throw Failure(.data, "\(index.path): the sequences after number \(last) belong to no document")
        }
        return ForeignTokenFile(
            file: tokens, start: 0, count: ends[sequences], width: width, ends: documentEnds)
    }
}
