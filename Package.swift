// swift-tools-version: 6.2
import Foundation
import PackageDescription

// The CPU that plain builds are made for. `SWITCHYARD_CPU=native swift build -c release` builds for this machine,
// `none` for the compiler's baseline. Without a target flag SIMD16<Float> becomes SSE and every fused
// multiply-add a call of libm, so the default is a real target.
#if arch(x86_64)
    let defaultCPU = "x86-64-v3"
#else
    let defaultCPU = "none"
#endif
let cpu = Context.environment["SWITCHYARD_CPU"] ?? defaultCPU
let cpuFlags: [SwiftSetting] = cpu == "none" ? [] : [.unsafeFlags(["-Xcc", "-march=\(cpu)"])]

// oneDNN is used where it is: it brings bfloat16. `SWITCHYARD_ONEDNN=0` builds without it.
// Versions 2 and 3, whose interfaces Sources/COneDNN/shims.h makes one.
let hasOneDNN =
    Context.environment["SWITCHYARD_ONEDNN"] != "0"
    && ["/usr/include", "/usr/local/include"].contains {
        let version = try? String(contentsOfFile: $0 + "/oneapi/dnnl/dnnl_version.h", encoding: .utf8)
        return ["DNNL_VERSION_MAJOR 2\n", "DNNL_VERSION_MAJOR 3\n"].contains { version?.contains($0) == true }
    }

let language: [SwiftSetting] = [
    .enableExperimentalFeature("Lifetimes"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]
let house = language + cpuFlags + (hasOneDNN ? [.define("ONEDNN")] : [])

// `WideLoops` is `BaselineLoops` once more (its folder is a link), for AVX-512, in whole vectors: LLVM prefers half ones for
// this target. `Kernels` chooses between the two when a program starts.
#if arch(x86_64)
    let wideLoops: [Target] = [
        .target(
            name: "WideLoops", dependencies: ["VectorLoops", "Tensors"],
            swiftSettings: language + [
                .unsafeFlags([
                    "-Xcc", "-march=x86-64-v4", "-Xcc", "-Xclang", "-Xcc", "-target-feature", "-Xcc", "-Xclang",
                    "-Xcc", "-prefer-256-bit",
                ])
            ])
    ]
#else
    let wideLoops: [Target] = []
#endif

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let csv: Target.Dependency = .product(name: "SwiftCSV", package: "SwiftCSV")

/// One room of the house. `below` lists every module it may import: arrows point down only
/// (docs/architecture.md), and `scripts/check` refuses an undeclared import.
func room(_ name: String, below: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: below, swiftSettings: house)
}

func tests(of name: String, with dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: dependencies + [.byName(name: name)],
        resources: resources, swiftSettings: house)
}

let package = Package(
    name: "switchyard",
    products: [.executable(name: "switchyard", targets: ["switchyard"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swiftcsv/SwiftCSV", from: "0.10.0"),
    ],
    targets: [
        // C modules: module map and one-line shims for macros
        .systemLibrary(name: "COpenMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
        .systemLibrary(name: "CHDF5", pkgConfig: "hdf5-openmpi", providers: [.apt(["libhdf5-openmpi-dev"])]),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "CPlatform"),
        // for programs that answer signals
        .target(name: "CHeldSignals", dependencies: ["CPlatform"]),

        // the commit that is built
        .plugin(name: "NoteRevision", capability: .buildTool(), path: "Sources/NoteRevision"),
        .target(
            name: "BuildInformation", exclude: ["note-revision.sh"], swiftSettings: house, plugins: ["NoteRevision"]),

        // vocabulary
        room("Diagnostics"),
        room("FileSystem", below: ["Diagnostics"]),
        room("Settings", below: ["FileSystem", "Diagnostics", yams]),
        room("Randomness"),
        room("Tensors", below: ["CPlatform"]),
        room("Threads", below: ["CPlatform"]),
        room("Tracing"),
        room("Collectives", below: ["Tensors", "Threads", "Diagnostics"]),
        room("VectorLoops", below: ["Tensors"]),

        // safe wrappers
        room("Workers", below: ["Threads", "Tracing", "CPlatform"]),
        room("Machine", below: ["CPlatform"]),
        room("GEMM", below: ["Tensors", "COpenBLAS"] + (hasOneDNN ? ["COneDNN"] : [])),
        room("MPI", below: ["Collectives", "Tensors", "Diagnostics", "COpenMPI", "CPlatform"]),
        room("HDF5", below: ["Diagnostics", "Tensors", "Collectives", "MPI", "CHDF5", "COpenMPI"]),

        room("Hashing", below: ["Diagnostics", "FileSystem", "COpenSSL"]),

        // numbers
        room("BaselineLoops", below: ["VectorLoops", "Tensors"]),
        room(
            "Kernels",
            below: ["BaselineLoops", "VectorLoops", "Tensors", "Workers", "Tracing", "GEMM", "Machine"]
                + wideLoops.map { .byName(name: $0.name) }),

        // learning
        room(
            "Layers",
            below: [
                "Tensors", "Workers", "Tracing", "GEMM", "Kernels", "Settings", "Diagnostics", "Randomness",
                "Collectives",
            ]),
        room("Optimization", below: ["Tensors", "Settings", "Diagnostics", "CPlatform"]),
        room("Corpora", below: ["Settings", "FileSystem", "Diagnostics", "Randomness", "CPlatform"]),
        room("Metrics", below: ["Tracing", "FileSystem", "Diagnostics"]),

        // distribution
        room(
            "Parallel",
            below: ["Collectives", "Tensors", "Threads", "Layers", "Workers", "Tracing", "Settings", "Diagnostics"]),
        room(
            "Checkpoints",
            below: ["HDF5", "Hashing", "FileSystem", "Collectives", "Threads", "Tensors", "Diagnostics"]),

        // programs
        room(
            "Training",
            below: [
                "Parallel", "Checkpoints", "Layers", "Optimization", "Corpora", "Metrics", "GEMM", "Workers",
                "Collectives", "Tensors", "Tracing", "Threads", "Randomness", "Settings", "Diagnostics", "HDF5",
                "FileSystem", "Machine", "CPlatform",
            ]),
        room("ScalingLaws", below: ["Randomness", "FileSystem", "Diagnostics", csv]),
        room(
            "Conversion",
            below: [
                "Training", "Checkpoints", "Layers", "Corpora", "GEMM", "Workers", "Collectives", "Tensors",
                "Randomness", "Settings", "FileSystem", "Diagnostics",
            ]),

        // tools
        room(
            "Benchmarking",
            below: [
                "Training", "Parallel", "Layers", "Optimization", "Corpora", "Metrics", "Kernels", "GEMM", "Workers",
                "Machine", "Collectives", "Tensors", "Tracing", "Randomness", "Diagnostics", "CPlatform",
            ]),
        room(
            "Doctor",
            below: [
                "Benchmarking", "Training", "Metrics", "GEMM", "MPI", "HDF5", "Workers", "Machine", "Collectives",
                "Tensors", "Diagnostics",
            ]),

        // command line: the only place that names everything
        .executableTarget(
            name: "switchyard",
            dependencies: [
                "Conversion", "Training", "Parallel", "Checkpoints", "Layers", "Corpora", "Metrics", "MPI", "HDF5",
                "GEMM", "Workers", "Collectives", "Tensors", "Settings", "Diagnostics", "ScalingLaws", "CPlatform",
                "CHeldSignals", "Machine", "Benchmarking", "Doctor", "FileSystem", "BuildInformation", argumentParser,
            ],
            swiftSettings: house),

        // the bodies that run under mpirun and on virtual ranks
        room(
            "RankChecks",
            below: [
                "Training", "Checkpoints", "Parallel", "Layers", "GEMM", "Settings", "Randomness", "Collectives",
                "Tensors", "Threads", "Workers", "Machine", "Diagnostics",
            ]),
        .executableTarget(
            name: "rank-checks", dependencies: ["RankChecks", "HDF5", "MPI", "GEMM", "Collectives", "Diagnostics"],
            swiftSettings: house),

        // simulated runs for fits: tests, and the development program that measures intervals
        room("SimulatedRuns", below: ["ScalingLaws", "Randomness", "Diagnostics"]),
        .executableTarget(
            name: "law-checks", dependencies: ["SimulatedRuns", "ScalingLaws", "Diagnostics"], swiftSettings: house),

        tests(
            of: "Checkpoints",
            with: ["RankChecks", "HDF5", "Hashing", "Collectives", "Threads", "Tensors", "Diagnostics", "CHDF5"]),
        tests(
            of: "Training",
            with: [
                "Corpora", "RankChecks", "Checkpoints", "Parallel", "Layers", "Metrics", "GEMM", "HDF5",
                "Collectives", "Settings", "Tensors", "Randomness", "FileSystem", "Diagnostics", "ScalingLaws",
                "Optimization",
            ]),
        tests(of: "Parallel", with: ["Layers", "Collectives", "Settings", "Tensors", "Diagnostics"]),
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: house),
        tests(of: "TestSupport", with: []),
        tests(of: "Tensors", with: []),
        tests(
            of: "Conversion",
            with: [
                "Training", "Checkpoints", "Layers", "Corpora", "GEMM", "Collectives", "Tensors", "Randomness",
                "Settings", "Diagnostics", "TestSupport",
            ],
            resources: [.copy("Golden")]),
        tests(of: "HDF5", with: ["Tensors", "Diagnostics"]),
        tests(of: "Settings", with: ["Diagnostics"]),
        tests(of: "Randomness", with: []),
        tests(of: "Corpora", with: ["Settings", "Diagnostics", "Randomness"]),
        tests(
            of: "Layers",
            with: [
                "Collectives", "Diagnostics", "GEMM", "HDF5", "Parallel", "Randomness", "Tensors", "Workers",
                "TestSupport",
            ],
            resources: [.copy("Golden")]),
        tests(
            of: "Kernels",
            with: [
                "BaselineLoops", "VectorLoops", "Machine", "Tensors", "Workers", "GEMM", "Randomness", "TestSupport",
            ] + wideLoops.map { .byName(name: $0.name) }),
        tests(of: "Workers", with: ["Tensors", "Threads", "Tracing"]),
        tests(of: "Collectives", with: ["RankChecks", "Tensors", "Diagnostics"]),
        tests(of: "Optimization", with: ["Tensors", "Diagnostics", "Settings", "Randomness", "TestSupport"]),
        tests(of: "Machine", with: []),
        tests(of: "Doctor", with: ["Benchmarking", "Machine", "Diagnostics"]),
        tests(of: "Tracing", with: []),
        tests(
            of: "Benchmarking",
            with: [
                "GEMM", "Machine", "Workers", "Layers", "Tensors", "Collectives", "Parallel", "Settings", "Training",
                "Tracing",
            ]),
        tests(of: "FileSystem", with: ["Diagnostics"]),
        tests(of: "Metrics", with: ["Diagnostics"]),
        tests(
            of: "ScalingLaws", with: ["SimulatedRuns", "Diagnostics", "Randomness", "Settings"],
            resources: [.copy("Tables")]),
    ],
    swiftLanguageModes: [.v6]
)

package.targets += wideLoops
if hasOneDNN { package.targets.append(.systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])])) }
