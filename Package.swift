// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

/// A floor of the house: it sees only the floors below it.
func floor(_ name: String, on below: [Target.Dependency], resources: [Resource]? = nil) -> Target {
    .target(name: name, dependencies: below, resources: resources, swiftSettings: strict)
}

func tests(_ name: String, of below: [Target.Dependency]) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: below + ["TestSupport"], swiftSettings: strict)
}

let package = Package(
    name: "denoised",
    products: [.executable(name: "denoised", targets: ["denoised"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Debian's libraries are reached through this target alone, so none of them needs a module map.
        .target(
            name: "CImageShims",
            linkerSettings: ["jpeg", "png", "tiff", "raw_r", "lcms2", "stdc++"].map { .linkedLibrary($0) }),
        .target(name: "CKernels", linkerSettings: [.linkedLibrary("m")]),

        floor("Tensors", on: ["CKernels"]),
        floor("Imaging", on: ["CImageShims", system]),
        floor("Ledger", on: [system, .product(name: "GRDB", package: "GRDB.swift")]),
        floor("Networks", on: ["Tensors", system]),
        floor("Methods", on: ["Networks", "Tensors"]),
        floor(
            "Denoising",
            on: [
                "Imaging", "Methods", "Networks", "Tensors", system,
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            resources: [.copy("Models")]),
        floor(
            "DenoiseService",
            on: [
                "Denoising", "Imaging", "Ledger", system, logging,
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ]),
        .executableTarget(
            name: "denoised",
            dependencies: [
                "DenoiseService", "Denoising", "Imaging", "Ledger", "Methods", "Networks", "Tensors", system,
                logging, .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),

        // The laboratory: nothing depends on it.
        .executableTarget(name: "Benchmarks", dependencies: ["Tensors", "CKernels"], swiftSettings: strict),

        .target(name: "TestSupport", dependencies: [system], path: "Tests/TestSupport", swiftSettings: strict),
        tests("Tensors", of: ["Tensors", "CKernels"]),
        tests("Imaging", of: ["Imaging", system]),
        tests("Ledger", of: ["Ledger", system, .product(name: "GRDB", package: "GRDB.swift")]),
        tests("Networks", of: ["Networks", "Tensors", system]),
        tests("Methods", of: ["Methods", "Networks", "Tensors", system]),
        tests("Denoising", of: ["Denoising", "Imaging", "Methods", "Networks", "Tensors", system]),
        tests(
            "DenoiseService",
            of: [
                "DenoiseService", "Denoising", "Imaging", "Ledger", system, logging,
                .product(name: "Crypto", package: "swift-crypto"),
            ]),
        tests("EndToEnd", of: ["Denoising", "Imaging", "Networks", "Tensors", system]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu17,
    cxxLanguageStandard: .cxx17
)
