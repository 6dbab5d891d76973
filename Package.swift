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
// Versions 2 and 3, whose interfaces Sources/C/COneDNN/shims.h makes one.
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
            name: "WideLoops", dependencies: ["KernelLoops", "Tensors", "Platform"],
            path: "Sources/Compute/KernelLoops/Wide",
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

/// One room of the house, in the folder of its layer. `below` lists every module it may import: arrows point down only
/// (docs/architecture.md), and `scripts/check` refuses an undeclared import.
func room(_ path: String, named name: String? = nil, below: [Target.Dependency] = []) -> Target {
    .target(
        name: name ?? path.split(separator: "/").map(String.init).last!, dependencies: below, path: "Sources/\(path)",
        swiftSettings: house)
}

func program(_ name: String, below: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: below, path: "Sources/Command/\(name)", swiftSettings: house)
}

func system(_ name: String, pkgConfig: String? = nil, apt: String) -> Target {
    .systemLibrary(name: name, path: "Sources/C/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

func tests(of name: String, with dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: dependencies, resources: resources, swiftSettings: house)
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
        system("COpenMPI", pkgConfig: "ompi-c", apt: "libopenmpi-dev"),
        system("CHDF5", pkgConfig: "hdf5-openmpi", apt: "libhdf5-openmpi-dev"),
        system("COpenBLAS", pkgConfig: "openblas", apt: "libopenblas-dev"),
        system("COpenSSL", pkgConfig: "libcrypto", apt: "libssl-dev"),
        .target(name: "CPlatform", path: "Sources/C/CPlatform"),
        // for programs that answer signals
        .target(name: "CHeldSignals", dependencies: ["CPlatform"], path: "Sources/C/CHeldSignals"),
        // the commit that is built
        .plugin(name: "NoteRevision", capability: .buildTool(), path: "Sources/Core/NoteRevision"),
        .target(
            name: "BuildInformation", path: "Sources/Core/BuildInformation", exclude: ["note-revision.sh"],
            swiftSettings: house, plugins: ["NoteRevision"]),

        // what the rest is said in
        room("Core/Diagnostics"),
        room("Core/Platform", below: ["Diagnostics", "CPlatform"]),
        room("Core/Randomness"),
        room("Core/Tensors", below: ["Platform", "CPlatform"]),
        room("Core/Configuration", below: ["Tensors", "Platform", "Diagnostics", yams]),
        room("Core/RunFormat", below: ["Configuration", "Platform", "Diagnostics"]),
        // safe wrappers: threads, ranks, files
        room("System/Threading", below: ["Platform", "CPlatform"]),
        room("System/Collectives", below: ["Threading", "Tensors", "Diagnostics"]),
        room("System/MPI", below: ["Collectives", "Tensors", "Platform", "Diagnostics", "COpenMPI", "CPlatform"]),
        room("System/HDF5", below: ["MPI", "Collectives", "Tensors", "Platform", "Diagnostics", "COpenMPI", "CHDF5"]),
        // arithmetic
        room("Compute/MatrixProducts", below: ["Tensors", "COpenBLAS"] + (hasOneDNN ? ["COneDNN"] : [])),
        room("Compute/KernelLoops/Protocol", named: "KernelLoops", below: ["Tensors"]),
        room("Compute/KernelLoops/Baseline", named: "BaselineLoops", below: ["KernelLoops", "Tensors", "Platform"]),
        room(
            "Compute/Kernels",
            below: ["BaselineLoops", "KernelLoops", "MatrixProducts", "Threading", "Tensors", "Platform"]
                + wideLoops.map { .byName(name: $0.name) }),
        // learning
        room("Learning/Tokenizers", below: ["Platform", "Randomness", "Diagnostics"]),
        room(
            "Learning/Data",
            below: ["Tokenizers", "Threading", "Configuration", "Platform", "Randomness", "Diagnostics", "CPlatform"]),
        room(
            "Learning/Model",
            below: [
                "Kernels", "MatrixProducts", "Collectives", "Threading", "Configuration", "Tensors", "Platform",
                "Randomness",
            ]),
        room("Learning/Optimization", below: ["Configuration", "Tensors", "Platform", "CPlatform"]),
        // distribution
        room(
            "Distributed/Parallelism",
            below: [
                "Model", "Data", "MatrixProducts", "Collectives", "Threading", "Configuration", "Tensors", "Platform",
                "Diagnostics", "CPlatform",
            ]),
        room(
            "Distributed/Checkpoints",
            below: ["HDF5", "Collectives", "Threading", "Tensors", "Platform", "Diagnostics", "COpenSSL"]),
        // programs
        room(
            "Programs/Inference",
            below: [
                "Parallelism", "Checkpoints", "Model", "Data", "Tokenizers", "Collectives", "RunFormat",
                "Configuration", "Tensors", "Platform", "Randomness", "Diagnostics",
            ]),
        room(
            "Programs/Training",
            below: [
                "Inference", "Parallelism", "Checkpoints", "Model", "Optimization", "Data", "Tokenizers", "Kernels",
                "MatrixProducts", "HDF5", "MPI", "Collectives", "Threading", "RunFormat", "Configuration", "Tensors",
                "Platform", "Randomness", "Diagnostics", "CPlatform",
            ]),
        room("Programs/Planning", below: ["Platform", "Randomness", "Diagnostics", csv]),
        room(
            "Programs/Conversion",
            below: [
                "Training", "Inference", "Parallelism", "Checkpoints", "Model", "Data", "Tokenizers", "Kernels",
                "MatrixProducts", "Collectives", "Threading", "RunFormat", "Configuration", "Tensors", "Platform",
                "Randomness", "Diagnostics",
            ]),
        room(
            "Programs/Benchmarking",
            below: [
                "Training", "Parallelism", "Model", "Optimization", "Data", "Kernels", "MatrixProducts", "HDF5", "MPI",
                "Collectives", "Threading", "RunFormat", "Configuration", "Tensors", "Platform", "Randomness",
                "Diagnostics", "CPlatform",
            ]),
        // the bodies that run under mpirun and on virtual ranks
        room(
            "Programs/RankChecks",
            below: [
                "Training", "Parallelism", "Checkpoints", "Model", "Data", "Kernels", "MatrixProducts", "MPI",
                "Collectives", "Threading", "Configuration", "Tensors", "Platform", "Randomness", "Diagnostics",
            ]),
        // command line: the only place that names everything
        program(
            "switchyard",
            below: [
                "Training", "Conversion", "Benchmarking", "Inference", "Planning", "Parallelism", "Checkpoints",
                "Model", "Data", "Tokenizers", "MatrixProducts", "HDF5", "MPI", "Collectives", "Threading", "RunFormat",
                "Configuration", "Tensors", "Platform", "Diagnostics", "BuildInformation", "CPlatform", "CHeldSignals",
                argumentParser,
            ]),
        program(
            "rank-checks",
            below: ["RankChecks", "MatrixProducts", "HDF5", "MPI", "Collectives", "Platform", "Diagnostics"]),
        program("law-checks", below: ["Planning", "Diagnostics"]),

        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: house),
        tests(
            of: "Benchmarking",
            with: [
                "Training", "Benchmarking", "Parallelism", "Model", "Kernels", "MatrixProducts", "Collectives",
                "Threading", "RunFormat", "Configuration", "Tensors", "Platform", "Diagnostics",
            ]),
        tests(
            of: "Checkpoints",
            with: [
                "RankChecks", "Checkpoints", "HDF5", "Collectives", "Threading", "Tensors", "Platform", "Diagnostics",
                "CHDF5",
            ]),
        tests(of: "Collectives", with: ["RankChecks", "Collectives", "Tensors", "Diagnostics"]),
        tests(of: "Configuration", with: ["Configuration", "Platform", "Diagnostics"]),
        tests(
            of: "Conversion",
            with: [
                "Training", "Conversion", "Inference", "Parallelism", "Checkpoints", "Model", "Data", "Tokenizers",
                "Kernels", "MatrixProducts", "MPI", "Collectives", "RunFormat", "Configuration", "Tensors", "Platform",
                "Randomness", "Diagnostics", "TestSupport",
            ], resources: [.copy("Golden")]),
        tests(of: "Data", with: ["Data", "Tokenizers", "Configuration", "Platform", "Randomness", "Diagnostics"]),
        tests(of: "HDF5", with: ["HDF5", "Tensors", "Platform", "Diagnostics"]),
        tests(
            of: "Kernels",
            with: [
                "Kernels", "BaselineLoops", "KernelLoops", "MatrixProducts", "Threading", "Tensors", "Platform",
                "Randomness", "TestSupport",
            ] + wideLoops.map { .byName(name: $0.name) }),
        tests(
            of: "Model",
            with: [
                "Parallelism", "Model", "MatrixProducts", "HDF5", "Collectives", "Threading", "Configuration",
                "Tensors", "Randomness", "TestSupport",
            ], resources: [.copy("Golden")]),
        tests(
            of: "Optimization",
            with: ["Optimization", "Configuration", "Tensors", "Platform", "Randomness", "Diagnostics", "TestSupport"]),
        tests(
            of: "Parallelism", with: ["Parallelism", "Model", "Collectives", "Configuration", "Tensors", "Diagnostics"]),
        tests(
            of: "Planning", with: ["Planning", "Configuration", "Platform", "Randomness", "Diagnostics"],
            resources: [.copy("Tables")]),
        tests(of: "Platform", with: ["Platform", "Diagnostics"]),
        tests(of: "Randomness", with: ["Randomness"]),
        tests(of: "RunFormat", with: ["Threading", "RunFormat", "Diagnostics"]),
        tests(of: "Tensors", with: ["Tensors", "Platform"]),
        tests(of: "TestSupport", with: ["TestSupport"]),
        tests(of: "Threading", with: ["Threading", "Tensors", "Platform"]),
        tests(
            of: "Training",
            with: [
                "Training", "RankChecks", "Inference", "Planning", "Parallelism", "Checkpoints", "Model", "Data",
                "Tokenizers", "Kernels", "MatrixProducts", "HDF5", "MPI", "Collectives", "Threading", "RunFormat",
                "Configuration", "Tensors", "Platform", "Randomness", "Diagnostics",
            ]),
    ],
    swiftLanguageModes: [.v6]
)

package.targets += wideLoops
if hasOneDNN { package.targets.append(system("COneDNN", apt: "libdnnl-dev")) }
