import Foundation
import SystemPackage

/// One photograph as `history` and `show` report it; nil where nothing is known.
public struct PhotographRecord: Sendable, Equatable {
    public var id: Int64
    public var status: PhotographState
    /// Readable form of the source path; bytes that are not UTF-8 appear as U+FFFD.
    public var source: String
    public var output: String?
    public var reason: String?
    public var attempts: Int
    public var model: String?
    public var preset: String?
    /// Standard deviation of the noise in 8-bit units.
    public var noiseBefore: Double?
    public var noiseAfter: Double?
    public var seconds: Double?
    public var megapixels: Double?
    public var camera: String?
    public var iso: Double?
    /// UTC, ISO 8601.
    public var finishedAt: String?
}

/// One try at a photograph.
public struct AttemptRecord: Sendable, Equatable {
    /// Counts from 1.
    public var number: Int
    public var startedAt: String
    public var finishedAt: String?
    /// `done`, `failed`, `changed`, `abandoned` or `interrupted`; nil while it runs.
    public var outcome: String?
    public var reason: String?
}

/// Everything the ledger knows of one photograph.
public struct PhotographDetails: Sendable, Equatable {
    public var record: PhotographRecord
    /// The source path with its bytes unchanged.
    public var path: FilePath
    public var contentHash: String?
    public var recipeHash: String?
    public var duplicateOf: Int64?
    /// When a failed photograph is tried again by itself; UTC, ISO 8601.
    public var retryAt: String?
    public var lens: String?
    /// Seconds.
    public var exposure: Double?
    /// Pixels of the output.
    public var width: Int?
    public var height: Int?
    public var passes: Int?
    public var tilePlan: String?
    public var attempts: [AttemptRecord]
    public var metrics: [String: Double]
}

/// The latest row of a path.
public struct Sighting: Sendable, Equatable {
    public var id: Int64
    public var state: PhotographState
    public var identity: FileIdentity
}

/// A photograph at the head of the queue.
public struct QueuedPhotograph: Sendable, Equatable {
    public var id: Int64
    public var path: FilePath
    public var identity: FileIdentity
}

/// What a photograph is denoised with.
public struct Recipe: Sendable, Equatable {
    /// SHA-256 of options, weights and method, as lowercase hexadecimal.
    public var hash: String
    public var modelName: String
    /// SHA-256 of the weights, as lowercase hexadecimal.
    public var modelHash: String
    public var preset: String?

    public init(hash: String, modelName: String, modelHash: String, preset: String? = nil) {
        self.hash = hash
        self.modelName = modelName
        self.modelHash = modelHash
        self.preset = preset
    }
}

/// An output and what was learnt while it was made.
public struct OutputRecord: Sendable, Equatable {
    /// The final name, which does not exist before the photograph is `done`.
    public var path: FilePath
    /// SHA-256 of the file, as lowercase hexadecimal.
    public var hash: String
    public var width: Int
    public var height: Int
    public var passes: Int
    public var tilePlan: String
    /// Becomes the row's reason: why this output is not what was to be expected.
    public var remark: String?
    public var camera: String?
    public var lens: String?
    public var iso: Double?
    /// Seconds.
    public var exposure: Double?
    /// By name; values that are not finite are left out.
    public var metrics: [String: Double]

    public init(
        path: FilePath, hash: String, width: Int, height: Int, passes: Int, tilePlan: String, remark: String? = nil,
        camera: String? = nil, lens: String? = nil, iso: Double? = nil, exposure: Double? = nil,
        metrics: [String: Double] = [:]
    ) {
        self.path = path
        self.hash = hash
        self.width = width
        self.height = height
        self.passes = passes
        self.tilePlan = tilePlan
        self.remark = remark
        self.camera = camera
        self.lens = lens
        self.iso = iso
        self.exposure = exposure
        self.metrics = metrics
    }
}
