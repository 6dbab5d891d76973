// swift-tools-version: 6.2
import Foundation
import PackageDescription

// The CPU that plain builds are made for. `SWITCHYARD_CPU=native swift build -c release` builds for this machine,
// `none` for the compiler's baseline. Without a target flag SIMD16<Float> becomes SSE and every fused
// multiply-add a call of libm, so the default is a real target.
#if arch(x86_64)
    let defaultCPU = "x86-64-v3", hasWideLoops = true
#else
    let defaultCPU = "none", hasWideLoops = false
#endif
let cpu = Context.environment["SWITCHYARD_CPU"] ?? defaultCPU
let cpuFlags: [SwiftSetting] = cpu == "none" ? [] : [.unsafeFlags(["-Xcc", "-march=\(cpu)"])]

// oneDNN, 2 or 3 (Sources/C/COneDNN/shims.h), brings bfloat16 where it is. `SWITCHYARD_ONEDNN=0` builds without it.
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
    .strictMemorySafety(),
]
let settings = language + cpuFlags + (hasOneDNN ? [.define("ONEDNN")] : [])

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let csv: Target.Dependency = .product(name: "SwiftCSV", package: "SwiftCSV")

let products: [Target.Dependency] = ["Kernels", "MatrixProducts"]
let core: [Target.Dependency] = ["RunFormat", "Configuration", "Tensors", "Platform", "Randomness", "Diagnostics"]

/// A module in the folder of its layer, and all that it may import: `scripts/check` refuses other imports, and arrows up.
func module(_ path: String, named name: String? = nil, dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: name ?? path.split(separator: "/").map(String.init).last!, dependencies: dependencies,
        path: "Sources/\(path)",
        swiftSettings: settings)
}

func program(_ name: String, dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: "Sources/Command/\(name)", swiftSettings: settings)
}

func system(_ name: String, pkgConfig: String? = nil, apt: String) -> Target {
    .systemLibrary(name: name, path: "Sources/C/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

func tests(of name: String, with dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: dependencies, resources: resources, swiftSettings: settings)
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
        .target(name: "CStartup", dependencies: ["CPlatform"], path: "Sources/C/CStartup"),
        // the commit that is built
        .plugin(name: "NoteRevision", capability: .buildTool(), path: "Sources/Core/NoteRevision"),
        .target(
            name: "BuildInformation", path: "Sources/Core/BuildInformation", exclude: ["note-revision.sh"],
            swiftSettings: settings, plugins: ["NoteRevision"]),

        // foundation
        module("Core/Diagnostics"),
        module("Core/Platform", dependencies: ["Diagnostics", "CPlatform"]),
        module("Core/Randomness"),
        module("Core/Tensors", dependencies: ["Platform", "CPlatform"]),
        module("Core/Configuration", dependencies: ["Tensors", "Platform", "Diagnostics", yams]),
        module("Core/RunFormat", dependencies: ["Configuration", "Platform", "Diagnostics"]),
        // C wrappers: threads, ranks, files
        module("System/Threading", dependencies: ["Platform", "CPlatform"]),
        module("System/Collectives", dependencies: ["Threading", "Tensors", "Diagnostics"]),
        module(
            "System/MPI", dependencies: ["Collectives", "Tensors", "Platform", "Diagnostics", "COpenMPI", "CPlatform"]),
        module(
            "System/HDF5",
            dependencies: ["MPI", "Collectives", "Tensors", "Platform", "Diagnostics", "COpenMPI", "CHDF5"]),
        // arithmetic
        module("Compute/MatrixProducts", dependencies: ["Tensors", "COpenBLAS"] + (hasOneDNN ? ["COneDNN"] : [])),
        module("Compute/KernelLoops/Protocol", named: "KernelLoops", dependencies: ["Tensors"]),
        module(
            "Compute/KernelLoops/Baseline", named: "BaselineLoops",
            dependencies: ["KernelLoops", "Tensors", "Platform"]),
        module(
            "Compute/Kernels",
            dependencies: ["BaselineLoops", "KernelLoops", "MatrixProducts", "Threading", "Tensors", "Platform"]
                + (hasWideLoops ? ["WideLoops"] : [])),
        // learning
        module("Learning/Tokenizers", dependencies: ["Platform", "Randomness", "Diagnostics"]),
        module(
            "Learning/Data",
            dependencies: [
                "Tokenizers", "Threading", "Configuration", "Platform", "Randomness", "Diagnostics",
            ]),
        module(
            "Learning/Model",
            dependencies: products + ["Collectives", "Threading", "Configuration", "Tensors", "Platform", "Randomness"]),
        module(
            "Learning/Optimization",
            dependencies: products + ["Threading", "Configuration", "Tensors", "Platform", "CPlatform"]),
        // distribution
        module(
            "Distributed/Parallelism",
            dependencies: [
                "Model", "Data", "MatrixProducts", "Collectives", "Threading", "Configuration", "Tensors", "Platform",
                "Diagnostics",
            ]),
        module(
            "Distributed/Checkpoints",
            dependencies: ["HDF5", "Collectives", "Threading", "Tensors", "Platform", "Diagnostics", "COpenSSL"]),
        // programs
        module(
            "Programs/Inference",
            dependencies: core + ["Parallelism", "Checkpoints", "Model", "Data", "Tokenizers", "Collectives"]),
        module(
            "Programs/Training",
            dependencies: core + products + [
                "Inference", "Parallelism", "Checkpoints", "Model", "Optimization", "Data", "Tokenizers", "HDF5", "MPI",
                "Collectives", "Threading",
            ]),
        module(
            "Programs/Planning",
            dependencies: ["RunFormat", "Configuration", "Platform", "Randomness", "Diagnostics", csv]),
        module(
            "Programs/Conversion",
            dependencies: core + products + [
                "Inference", "Parallelism", "Checkpoints", "Model", "Data", "Tokenizers", "Collectives", "Threading",
            ]),
        module(
            "Programs/Benchmarking",
            dependencies: core + [
                "Training", "Parallelism", "Model", "Optimization", "Data", "Kernels", "MatrixProducts", "HDF5", "MPI",
                "Collectives", "Threading", "CPlatform",
            ]),
        // the bodies that run under mpirun and on virtual ranks
        module(
            "Programs/RankChecks",
            dependencies: [
                "Training", "Parallelism", "Checkpoints", "Model", "Data", "Kernels", "MatrixProducts", "MPI",
                "Collectives", "Threading", "Configuration", "Tensors", "Platform", "Randomness", "Diagnostics",
            ]),
        // command line: the only place that names everything
        program(
            "switchyard",
            dependencies: [
                "Training", "Conversion", "Benchmarking", "Inference", "Planning", "Parallelism", "Checkpoints",
                "Model", "Data", "Tokenizers", "MatrixProducts", "HDF5", "MPI", "Collectives", "Threading", "RunFormat",
                "Configuration", "Tensors", "Platform", "Diagnostics", "BuildInformation", "CPlatform", "CStartup",
                argumentParser,
            ]),
        program(
            "rank-checks",
            dependencies: ["RankChecks", "HDF5", "MPI", "Collectives", "Platform", "Diagnostics"]),
        program("law-checks", dependencies: ["Planning", "Diagnostics"]),

        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: settings),
        tests(
            of: "Benchmarking",
            with: [
                "Training", "Benchmarking", "Parallelism", "Model", "Kernels", "Collectives",
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
                "Kernels", "MPI", "Collectives", "RunFormat", "Configuration", "Tensors", "Platform",
                "Randomness", "Diagnostics", "TestSupport",
            ], resources: [.copy("Golden")]),
        tests(of: "Data", with: ["Data", "Tokenizers", "Configuration", "Platform", "Randomness", "Diagnostics"]),
        tests(of: "HDF5", with: ["HDF5", "Tensors", "Platform", "Diagnostics"]),
        tests(
            of: "Kernels",
            with: [
                "Kernels", "BaselineLoops", "KernelLoops", "MatrixProducts", "Threading", "Tensors", "Platform",
                "Randomness", "TestSupport",
            ] + (hasWideLoops ? ["WideLoops"] : [])),
        tests(
            of: "Model",
            with: [
                "Parallelism", "Model", "MatrixProducts", "HDF5", "Collectives", "Threading", "Configuration",
                "Tensors", "Randomness", "TestSupport",
            ], resources: [.copy("Golden")]),
        tests(
            of: "Optimization",
            with: [
                "Optimization", "Threading", "Configuration", "Tensors", "Platform", "Randomness", "Diagnostics",
                "TestSupport",
            ], resources: [.copy("Golden")]),
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
                "Configuration", "Tensors", "Platform", "Randomness", "Diagnostics", "TestSupport",
            ]),
    ],
    swiftLanguageModes: [.v6]
)

// `WideLoops` is `BaselineLoops` once more (its folder is a link), for AVX-512, in whole vectors: LLVM prefers half ones for
// this target. `Kernels` chooses between the two when a program starts.
if hasWideLoops {
    let flags = ["-march=x86-64-v4", "-Xclang", "-target-feature", "-Xclang", "-prefer-256-bit"]
    package.targets.append(
        .target(
            name: "WideLoops", dependencies: ["KernelLoops", "Tensors", "Platform"],
            path: "Sources/Compute/KernelLoops/Wide",
            swiftSettings: language + [.unsafeFlags(flags.flatMap { ["-Xcc", $0] })]))
}
if hasOneDNN { package.targets.append(system("COneDNN", apt: "libdnnl-dev")) }
