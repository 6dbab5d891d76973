import CPlatform
import Platform

/// Zeroed memory: from the kernel, in huge pages where there are some, when large; from the heap when small.
///
/// The heap does not give back what matrices of changing sizes leave behind, so it gets small ones only: a conversion, which
/// makes and drops one matrix after the other, took three times the memory.
///
/// Memory that the system refuses ends the process with a message and code 69 (`ExitStatus.unavailable`): it is asked for
/// at every depth, and a job that lacks some cannot go on anywhere.
///
/// All of it is touched at once: what a job will ever use is used when it starts, not in the night when routing
/// happens to fill a buffer.
@safe struct Allocation {
    let address: UnsafeMutableRawPointer
    private let mapped: Int

    private static let page = 1 << 12
    private static let hugePage = 1 << 21
    private static let large = 1 << 20

    init(bytes: Int) {
        if bytes >= Self.large {
            let unit = bytes >= 4 * Self.hugePage ? Self.hugePage : Self.page
            mapped = (bytes + unit - 1) / unit * unit
            unsafe address = unsafe Self.map(mapped)
        } else {
            mapped = 0
            var raw: UnsafeMutableRawPointer?
            let status = unsafe posix_memalign(&raw, 64, bytes)
            guard status == 0, let raw = unsafe raw else { platform_out_of_memory(bytes) }
            unsafe memset(raw, 0, bytes)
            unsafe address = raw
        }
    }

    private static func map(_ bytes: Int) -> UnsafeMutableRawPointer {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
        let found = unsafe mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let found = unsafe found, unsafe found != MAP_FAILED else {
            platform_out_of_memory(bytes)
        }
        let hugePages: Int32 = 14  // MADV_HUGEPAGE, which Swift does not import
        if bytes >= 4 * hugePage { unsafe madvise(found, bytes, hugePages) }
        for page in stride(from: 0, to: bytes, by: page) {
            unsafe found.storeBytes(of: 0, toByteOffset: page, as: UInt8.self)
        }
        return unsafe found
    }

    func free() {
        if mapped > 0 {
            unsafe munmap(address, mapped)
        } else {
            unsafe Glibc.free(address)
        }
    }
}
