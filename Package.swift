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

/// Products of packages from outside, by the names that the lists below call them.
let outside = ["ArgumentParser": "swift-argument-parser", "Yams": "Yams", "SwiftCSV": "SwiftCSV"]

let core = "RunFormat Configuration Tensors Platform Randomness Diagnostics"

/// The dependencies of `names`, which blanks separate.
func list(_ names: String) -> [Target.Dependency] {
    names.split(separator: " ").map(String.init).map { name in
        outside[name].map { .product(name: name, package: $0) } ?? .byName(name: name)
    }
}

/// A module in the folder of its layer, and all that it may import: `scripts/check` refuses other imports, and arrows up.
func module(_ path: String, named name: String? = nil, _ dependencies: String = "") -> Target {
    .target(
        name: name ?? path.split(separator: "/").map(String.init).last!, dependencies: list(dependencies),
        path: "Sources/\(path)",
        swiftSettings: settings)
}

func program(_ name: String, _ dependencies: String) -> Target {
    .executableTarget(
        name: name, dependencies: list(dependencies), path: "Sources/Command/\(name)", swiftSettings: settings)
}

func system(_ name: String, pkgConfig: String? = nil, apt: String) -> Target {
    .systemLibrary(name: name, path: "Sources/C/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

func tests(of name: String, _ dependencies: String, resources: [Resource] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: list(dependencies), resources: resources, swiftSettings: settings)
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
        system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
        system("CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),
        system("CSnappy", pkgConfig: "snappy", apt: "libsnappy-dev"),
        .target(name: "CPlatform", path: "Sources/C/CPlatform"),
        .target(name: "CStartup", dependencies: ["CPlatform"], path: "Sources/C/CStartup"),
        // the commit that is built
        .plugin(name: "NoteRevision", capability: .buildTool(), path: "Sources/Core/NoteRevision"),
        .target(
            name: "BuildInformation", path: "Sources/Core/BuildInformation", exclude: ["note-revision.sh"],
            swiftSettings: settings, plugins: ["NoteRevision"]),

        // foundation
        module("Core/Diagnostics"),
        module("Core/Platform", "Diagnostics CPlatform"),
        module("Core/Randomness"),
        module("Core/JSON", "Platform Diagnostics"),
        module("Core/Tensors", "Platform CPlatform"),
        module("Core/Configuration", "Tensors Platform Diagnostics Yams"),
        module("Core/RunFormat", "Configuration Platform Diagnostics"),
        // C wrappers: threads, ranks, files
        module("System/Threading", "Platform CPlatform"),
        module("System/Collectives", "Threading Tensors Diagnostics"),
        module("System/MPI", "Collectives Tensors Platform Diagnostics COpenMPI CPlatform"),
        module("System/HDF5", "MPI Collectives Tensors Platform Diagnostics COpenMPI CHDF5"),
        module("System/Compression", "Platform Diagnostics CZlib CZstd CSnappy"),
        module("System/Parquet", "Compression Platform Diagnostics"),
        // arithmetic
        module("Compute/MatrixProducts", "Tensors COpenBLAS" + (hasOneDNN ? " COneDNN" : "")),
        module("Compute/KernelLoops/Protocol", named: "KernelLoops", "Tensors"),
        module("Compute/KernelLoops/Baseline", named: "BaselineLoops", "KernelLoops Tensors Platform"),
        module(
            "Compute/Kernels",
            "BaselineLoops KernelLoops MatrixProducts Threading Tensors Platform" + (hasWideLoops ? " WideLoops" : "")),
        // learning
        module("Learning/Tokenizers", "JSON Platform Randomness Diagnostics"),
        module(
            "Learning/Data", "Tokenizers Parquet Compression Threading Configuration Platform Randomness Diagnostics"),
        module(
            "Learning/Model",
            "Kernels MatrixProducts Collectives Threading Configuration Tensors Platform Randomness"),
        module(
            "Learning/Optimization", "Kernels MatrixProducts Threading Configuration Tensors Platform CPlatform"),
        // distribution
        module(
            "Distributed/Parallelism",
            "Model Data MatrixProducts Collectives Threading Configuration Tensors Platform Diagnostics"),
        module("Distributed/Checkpoints", "HDF5 Collectives Threading Tensors Platform Diagnostics COpenSSL"),
        // programs
        module("Programs/Inference", "Parallelism Checkpoints Model Data Tokenizers Collectives " + core),
        module(
            "Programs/Training",
            "Inference Parallelism Checkpoints Model Optimization Data Tokenizers Kernels MatrixProducts "
                + "HDF5 MPI Collectives Threading " + core),
        module("Programs/Charts", "Platform Diagnostics"),
        module("Programs/Planning", "Charts RunFormat Configuration Platform Randomness Diagnostics SwiftCSV"),
        module("Programs/Reporting", "Charts Planning RunFormat Configuration JSON Platform Diagnostics"),
        module(
            "Programs/Study",
            "Training Planning Parallelism Model Data RunFormat Configuration Platform Randomness Diagnostics"),
        module(
            "Programs/Conversion",
            "Inference Parallelism Checkpoints Model Data Tokenizers Kernels MatrixProducts Collectives "
                + "Threading JSON " + core),
        module(
            "Programs/Benchmarking",
            "Training Parallelism Model Optimization Data Kernels MatrixProducts HDF5 MPI Collectives "
                + "Threading CPlatform " + core),
        // the bodies that run under mpirun and on virtual ranks
        module(
            "Programs/RankChecks",
            "Training Parallelism Checkpoints Model Data Kernels MatrixProducts MPI Collectives Threading "
                + "Configuration Tensors Platform Randomness Diagnostics"),
        // command line: the only place that names everything
        program(
            "switchyard",
            "Training Study Reporting Conversion Benchmarking Inference Planning Charts Parallelism Checkpoints Model "
                + "Data Tokenizers MatrixProducts HDF5 MPI Collectives Threading RunFormat Configuration Tensors "
                + "Platform Diagnostics BuildInformation CPlatform CStartup ArgumentParser"),
        program("rank-checks", "RankChecks HDF5 MPI Collectives Platform Diagnostics"),
        program("law-checks", "Planning Diagnostics"),

        .target(
            name: "TestSupport", dependencies: list("CZlib CZstd CSnappy"), path: "Tests/TestSupport",
            swiftSettings: settings),
        tests(
            of: "Benchmarking",
            "Training Benchmarking Parallelism Model Kernels Collectives Threading RunFormat Configuration "
                + "Tensors Platform Diagnostics"),
        tests(
            of: "Checkpoints",
            "RankChecks Checkpoints HDF5 Collectives Threading Tensors Platform Diagnostics TestSupport CHDF5"),
        tests(of: "Collectives", "RankChecks Collectives Tensors Diagnostics"),
        tests(of: "Compression", "Compression Diagnostics TestSupport"),
        tests(of: "Configuration", "Configuration Platform Diagnostics"),
        tests(
            of: "Conversion",
            "Training Conversion Inference Parallelism Checkpoints Model Data Tokenizers Kernels MPI "
                + "Collectives RunFormat Configuration Tensors Platform Randomness Diagnostics TestSupport",
            resources: [.copy("Golden")]),
        tests(
            of: "Data", "Data Tokenizers Configuration Platform Randomness Diagnostics TestSupport",
            resources: [.copy("Golden")]),
        tests(of: "HDF5", "HDF5 Tensors Platform Diagnostics TestSupport"),
        tests(
            of: "Kernels",
            "Kernels BaselineLoops KernelLoops MatrixProducts Threading Tensors Platform Randomness "
                + "TestSupport" + (hasWideLoops ? " WideLoops" : "")),
        tests(
            of: "Model",
            "Parallelism Model MatrixProducts HDF5 Collectives Threading Configuration Tensors Randomness "
                + "TestSupport", resources: [.copy("Golden")]),
        tests(
            of: "Optimization",
            "Optimization Threading Configuration Tensors Platform Randomness Diagnostics TestSupport",
            resources: [.copy("Golden")]),
        tests(of: "Parallelism", "Parallelism Model Collectives Configuration Tensors Diagnostics"),
        tests(of: "Parquet", "Parquet Diagnostics Randomness", resources: [.copy("Golden")]),
        tests(
            of: "Planning", "Charts Planning Configuration Platform Randomness Diagnostics",
            resources: [.copy("Tables")]),
        tests(of: "Platform", "Platform Diagnostics"),
        tests(of: "Randomness", "Randomness"),
        tests(of: "Reporting", "Reporting Charts Planning RunFormat Diagnostics TestSupport"),
        tests(of: "RunFormat", "Threading RunFormat Diagnostics TestSupport"),
        tests(of: "Study", "Study Model Configuration Diagnostics"),
        tests(of: "Tensors", "Tensors Platform"),
        tests(of: "TestSupport", "TestSupport"),
        tests(of: "Threading", "Threading Tensors Platform"),
        tests(
            of: "Training",
            "Training RankChecks Inference Planning Parallelism Checkpoints Model Data Tokenizers Kernels "
                + "MatrixProducts HDF5 MPI Collectives Threading RunFormat Configuration Tensors Platform "
                + "Randomness Diagnostics TestSupport"),
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
