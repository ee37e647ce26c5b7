// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

// Arrows point down only: a target depends on targets that stand below it in this list.

/// Settings of the targets above the wrappers and kernels: the compiler proves that they hold no
/// unsafe pointer.
let safe: [SwiftSetting] = [.strictMemorySafety()]

/// Kernels are optimised in debug builds too, so that tests stay fast.
let fast: [SwiftSetting] = [.unsafeFlags(["-O"])]

/// The kernel modules: the same sources (by symbolic links), once for each instruction set.
var simdKernels: [Target] = [
  simdKernel("KernelsBaseline", [])
]
#if arch(x86_64)
  simdKernels += [
    simdKernel(
      "KernelsAVX2", [.define("AVX2"), .unsafeFlags(["-Xcc", "-march=x86-64-v3"])]),
    simdKernel(
      "KernelsAVX512", [.define("AVX512"), .unsafeFlags(["-Xcc", "-march=x86-64-v4"])]),
  ]
#endif

/// Without checks for overflow: the places that the kernels compute are in memory whose size was
/// computed with checks, and the checks cost up to 5 % of a small layer's step.
func simdKernel(_ name: String, _ settings: [SwiftSetting]) -> Target {
  .target(
    name: name, dependencies: ["CVec", "KernelInterface"],
    swiftSettings: settings + [.unsafeFlags(["-Ounchecked", "-wmo", "-num-threads", "2"])])
}

let package = Package(
  name: "momentum-dist",
  products: [
    .executable(name: "momentum-dist", targets: ["momentum-dist"])
  ],
  dependencies: [
    // Exactly what was tested: a later version is taken by hand, after a look at what it changes.
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    .package(url: "https://github.com/swhitty/FlyingFox", exact: "0.27.1"),
  ],
  targets: [
    // The command.
    .executableTarget(
      name: "momentum-dist",
      dependencies: [
        "Training", "Configuration", "Exports", "Reports", "Verification", "Benchmarks",
        "Diagnosis", "Checkpoints", "DataParallel", "Liveness", "Datasets", "BLAS", "Files",
        "ImageFiles", "Kernels", "Layers", "MPI", "PageServer", "Tensors",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .target(
      name: "Training",
      dependencies: [
        "Models", "Optimizers", "Datasets", "DataParallel", "Liveness", "Placement",
        "Checkpoints", "Configuration", "Diagnosis", "Reports", "Files", "Threads",
        "TrainingSteps", "BLAS", "HDF5", "MPI", "RandomNumbers",
      ],
      swiftSettings: safe),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Training", "Configuration", "DataParallel", "Datasets", "Diagnosis", "HDF5", "Models",
        "Reports", "TestSupport",
      ]),
    .target(
      name: "Exports",
      dependencies: [
        "Checkpoints", "Configuration", "Datasets", "Files", "KernelInterface", "Kernels", "Layers",
        "Reports", "Tensors",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      exclude: ["graph", "model", "tensors", "types"].map { "ONNX/Messages/\($0).proto" },
      swiftSettings: safe),
    .testTarget(
      name: "ExportsTests",
      dependencies: [
        "Exports", "Checkpoints", "Configuration", "Datasets", "Reports",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ]),
    .target(
      name: "Configuration",
      dependencies: ["Models", "Optimizers", "Checkpoints", "Datasets", "Files", "Yams"],
      swiftSettings: safe),
    .testTarget(
      name: "ConfigurationTests", dependencies: ["Configuration", "Models", "TestSupport"]),
    .target(
      name: "Reports",
      dependencies: [
        "Checkpoints", "Files", "Models",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      exclude: ["event", "summary", "tensor", "hparams"].map { "TensorBoard/\($0).proto" },
      swiftSettings: safe),
    .testTarget(name: "ReportsTests", dependencies: ["Reports", "TestSupport"]),

    .target(
      name: "Verification", dependencies: ["Models", "Optimizers", "Files", "HDF5"],
      swiftSettings: safe),
    .target(
      name: "Benchmarks",
      dependencies: [
        "BLAS", "Models", "Optimizers", "DataParallel", "Liveness", "Checkpoints", "Files",
        "Threads", "TrainingSteps",
      ],
      swiftSettings: safe + fast),
    .testTarget(name: "BenchmarksTests", dependencies: ["Benchmarks", "Layers"]),
    .testTarget(name: "VerificationTests", dependencies: ["Verification", "HDF5", "TestSupport"]),

    .target(
      name: "Diagnosis",
      dependencies: ["Kernels", "Digests", "Files", "BLAS", "HDF5", "MPI", "Placement"],
      swiftSettings: safe),
    .testTarget(name: "DiagnosisTests", dependencies: ["Diagnosis", "Files"]),

    // What it is made of.
    .target(
      name: "DataParallel", dependencies: ["MPI", "Tensors", "Threads"], swiftSettings: fast),
    .testTarget(name: "DataParallelTests", dependencies: ["DataParallel", "TestSupport"]),
    .target(name: "Liveness", dependencies: ["Datagrams", "Files", "MPI", "Threads"]),
    .testTarget(name: "LivenessTests", dependencies: ["Datagrams", "Liveness"]),
    .target(name: "Placement", dependencies: ["MPI"]),
    .testTarget(name: "PlacementTests", dependencies: ["Placement"]),
    .target(
      name: "Checkpoints",
      dependencies: ["Datasets", "HDF5", "Digests", "Files", "Tensors", "Threads"],
      swiftSettings: safe),
    .testTarget(
      name: "CheckpointsTests", dependencies: ["Checkpoints", "Files", "Tensors", "TestSupport"]),
    .target(
      name: "Datasets",
      dependencies: [
        "Audio", "HDF5", "Gzip", "Digests", "Files", "ImageFiles", "RandomNumbers", "Tensors",
        "Threads",
      ],
      swiftSettings: safe + fast),
    .testTarget(name: "DatasetsTests", dependencies: ["Datasets", "ImageFiles", "TestSupport"]),
    .target(
      name: "TrainingSteps", dependencies: ["BLAS", "Models", "Optimizers", "DataParallel"],
      swiftSettings: safe),
    .testTarget(
      name: "TrainingStepsTests", dependencies: ["TrainingSteps", "Kernels", "MPI", "Threads"]),
    .target(name: "Models", dependencies: ["Layers", "Threads"], swiftSettings: safe),
    .testTarget(name: "ModelsTests", dependencies: ["Models", "TestSupport", "Threads"]),
    .target(name: "Optimizers", dependencies: ["Kernels"], swiftSettings: safe + fast),
    .testTarget(name: "OptimizersTests", dependencies: ["Optimizers", "TestSupport"]),
    .target(
      name: "Layers", dependencies: ["Kernels", "BLAS", "RandomNumbers"], swiftSettings: safe),
    .testTarget(name: "LayersTests", dependencies: ["Layers", "TestSupport"]),

    .target(name: "Files"),
    .testTarget(name: "FilesTests", dependencies: ["Files"]),
    .target(name: "Threads"),
    .testTarget(name: "ThreadsTests", dependencies: ["Threads"]),

    // Arithmetic.
    .target(
      name: "Kernels",
      dependencies: ["CVec", "KernelInterface", "BLAS", "RandomNumbers", "Tensors"]
        + simdKernels.map { .target(name: $0.name) },
      swiftSettings: fast),
    .testTarget(
      name: "KernelsSIMDTests",
      dependencies: ["CVec", "KernelInterface", "Kernels", "RandomNumbers", "Tensors"]
        + simdKernels.map { .target(name: $0.name) },
      swiftSettings: fast),
    .target(name: "KernelInterface", swiftSettings: fast),
    .target(name: "CVec"),
    .target(name: "Tensors", swiftSettings: fast),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors"]),
    .target(name: "RandomNumbers", swiftSettings: fast),
    .testTarget(name: "RandomNumbersTests", dependencies: ["RandomNumbers"]),

    // Wrappers: each is the only importer of its C module.
    .target(name: "MPI", dependencies: ["COpenMPI"]),
    .testTarget(name: "MPITests", dependencies: ["MPI"]),
    .executableTarget(
      name: "mpi-checks", dependencies: ["DataParallel", "MPI", "Tensors", "Threads"],
      path: "Tests/MPIChecks", swiftSettings: fast),
    .target(name: "Datagrams"),
    .target(
      name: "PageServer",
      dependencies: [
        .product(name: "FlyingFox", package: "FlyingFox"),
        .product(name: "FlyingSocks", package: "FlyingFox"),
      ], swiftSettings: safe),
    .testTarget(
      name: "PageServerTests",
      dependencies: ["PageServer", .product(name: "FlyingFox", package: "FlyingFox")]),
    .target(name: "BLAS", dependencies: ["COpenBLAS"]),
    .testTarget(name: "BLASTests", dependencies: ["BLAS"]),
    .target(name: "HDF5", dependencies: ["CHDF5", "Files"]),
    .testTarget(name: "HDF5Tests", dependencies: ["HDF5"]),
    .target(name: "Digests", dependencies: ["CCrypto", "Files"]),
    .testTarget(name: "DigestsTests", dependencies: ["Digests"]),
    .target(
      name: "Audio", dependencies: ["CSndFile", "CSampleRate", "Files"], swiftSettings: fast),
    .testTarget(name: "AudioTests", dependencies: ["Audio", "TestSupport"]),
    .target(name: "ImageFiles", dependencies: ["CJPEG", "CPNG", "Files"], swiftSettings: fast),
    .testTarget(name: "ImageFilesTests", dependencies: ["ImageFiles", "TestSupport"]),
    .target(name: "Gzip", dependencies: ["CZlib", "Files"]),
    .testTarget(name: "GzipTests", dependencies: ["Gzip"]),

    // System libraries.
    .systemLibrary(
      name: "COpenMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CSndFile", pkgConfig: "sndfile", providers: [.apt(["libsndfile1-dev"])]),
    .systemLibrary(
      name: "CSampleRate", pkgConfig: "samplerate", providers: [.apt(["libsamplerate0-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(name: "CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    // Tests.
    .target(
      name: "TestSupport", dependencies: ["HDF5", "RandomNumbers", "Tensors"],
      path: "Tests/TestSupport"),
    .testTarget(
      name: "DistributedTests",
      dependencies: [
        "Checkpoints", "Datagrams", "Datasets", "Files", "HDF5", "Kernels", "Layers",
        "RandomNumbers", "TestSupport", "momentum-dist",
        "mpi-checks",
      ]),
  ] + simdKernels,
  swiftLanguageModes: [.v6]
)

// A fuzzer guided by coverage: launch/fuzz builds it, with the compiler's runtime for it.
if Context.environment["MOMENTUM_DIST_FUZZ"] != nil {
  package.targets += [
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "Audio", "Checkpoints", "Configuration", "Datasets", "HDF5", "ImageFiles", "Liveness",
        "Reports", "Tensors", "Training",
      ],
      path: "Tests/Fuzzing")
  ]
}

// The plugin for the documentation site: launch/docs builds it.
if Context.environment["MOMENTUM_DIST_DOCS"] != nil {
  package.dependencies.append(
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", exact: "1.5.0"))
}
