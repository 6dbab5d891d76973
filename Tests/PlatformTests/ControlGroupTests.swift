import Foundation
import Platform
import Testing

/// Limits of control groups, read from a made-up `/sys/fs/cgroup`.
struct ControlGroupTests {
    private func group(_ membership: String, _ files: [String: String]) throws -> (limit: Int?, available: Int?) {
        let root = FileManager.default.temporaryDirectory.appending(path: "cgroup-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        for (name, text) in files {
            let file = URL(filePath: "\(root)/\(name)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data((text + "\n").utf8).write(to: file)
        }
        let found = ControlGroup(membership: membership, root: root)
        return (found.limit, found.available)
    }

    @Test func theTightestOfNestedGroupsCounts() throws {
        let found = try group(
            "0::/job/step\n",
            [
                "memory.max": "max", "memory.current": "5",
                "job/memory.max": "4000", "job/memory.current": "1500",
                "job/step/memory.max": "3000", "job/step/memory.current": "100",
            ])
        #expect(found.limit == 3000)
        #expect(found.available == 2500)
    }

    @Test func versionOneCounts() throws {
        let found = try group(
            "9:name=systemd:/\n4:cpu,memory:/box/job\n0::/\n",
            [
                "memory/memory.limit_in_bytes": "9223372036854771712", "memory/memory.usage_in_bytes": "77",
                "memory/box/job/memory.limit_in_bytes": "1000", "memory/box/job/memory.usage_in_bytes": "400",
            ])
        #expect(found.limit == 1000)
        #expect(found.available == 600)
    }

    @Test func aContainerSeesItsGroupAtTheRoot() throws {
        let found = try group(
            "4:memory:/docker/0123\n",
            ["memory/memory.limit_in_bytes": "1000", "memory/memory.usage_in_bytes": "400"])
        #expect(found.limit == 1000)
    }

    @Test func pagesOfFilesAreNotInTheWay() throws {
        let found = try group(
            "0::/job\n",
            [
                "job/memory.max": "1000", "job/memory.current": "990",
                "job/memory.stat": "anon 90\ninactive_file 700\nactive_file 200",
            ])
        #expect(found.available == 910)
    }

    @Test func noLimitIsNone() throws {
        let found = try group("0::/job\n", ["job/memory.max": "max", "job/memory.current": "5"])
        #expect(found.limit == nil)
        #expect(found.available == nil)
    }

    @Test func moreUseThanAllowedLeavesNothing() throws {
        let found = try group("0::/\n", ["memory.max": "10", "memory.current": "50"])
        #expect(found.available == 0)
    }
}
