import Foundation
import Imaging
import Methods
import SystemPackage

extension Preset {
    /// Refinement copies T (product page, presets).
    public var refinements: Int {
        switch self {
        case .fast, .balanced: 0
        case .best: 8
        }
    }
}

extension ImageOptions {
    /// `fast` needs a model that was also taught with nothing hidden; others run as `balanced`.
    func method(with model: Model?) -> Method {
        let isTaughtPlain = model?.isTaughtPlain ?? false
        return method == .amsnet && preset == .fast && refinements == nil && isTaughtPlain ? .plain : method
    }
}

extension OutputFormat {
    /// The format to write for an input of format `source`.
    func encoderFormat(keeping source: ImageFormat) -> ImageEncoder.Format {
        switch self {
        case .same: ImageEncoder.Format(keeping: source)
        case .tiff: .tiff
        case .png: .png
        case .jpeg: .jpeg
        }
    }
}

/// Image options that cannot work.
public struct OptionsError: Error, CustomStringConvertible {
    public let description: String
}

/// A network that returned NaN or infinity: nothing is written.
struct NonFiniteOutput: Error, CustomStringConvertible {
    let file: String

    var description: String {
        "cannot denoise \(file): the network's output is not finite; verify the model, or use another"
    }
}

/// A photograph that no network can learn from: nothing is written.
struct PreparationError: Error, CustomStringConvertible {
    let file: String
    let cause: ZeroShotError

    var description: String { "cannot denoise \(file): \(cause)" }
}

extension ImageOptions {
    /// Checks ranges and combinations.
    ///
    /// - Throws: `OptionsError` naming the option and its range.
    public func check() throws(OptionsError) {
        try require((0...1).contains(strength), "--strength is \(strength): it must be between 0 and 1")
        try require(bitDepth.map { [8, 16].contains($0) } ?? true, "--bit-depth must be 8 or 16")
        try require(tile.map { $0 >= 64 } ?? true, "--tile must be at least 64")
        try require(overlap.map { $0 >= 0 } ?? true, "--overlap must not be negative")
        try require(refinements.map { (0...64).contains($0) } ?? true, "--refinements must be between 0 and 64")
        try require(threads.map { $0 >= 1 } ?? true, "--threads must be at least 1")
        try require(
            method.needsModel || model == nil, "--method \(method.rawValue) uses no model: leave out --model")
        try require(nameTemplate.contains("{stem}"), "--name must contain {stem}")
        try require(!nameTemplate.contains("/"), "--name must not contain a slash")
    }

    private func require(_ condition: Bool, _ message: String) throws(OptionsError) {
        if !condition { throw OptionsError(description: message) }
    }

    /// The output's name: the template with the input's stem put in, byte for byte, and the extension.
    func outputName(of source: FilePath, _ fileExtension: String) -> FilePath.Component {
        let stem = source.lastComponent?.bytesOfStem ?? []
        let parts = nameTemplate.components(separatedBy: "{stem}").map { Array($0.utf8) }
        let name = Array(parts.joined(separator: stem)) + Array(".\(fileExtension)".utf8)
        return FilePath.Component(bytes: name) ?? "photograph-denoised"
    }
}
