import Foundation
import Imaging
import SystemPackage

/// Where models are found: the state folder's own, and the one that ships with the program.
public struct ModelStore: Sendable {
    /// `<state>/models`; nil without a state folder.
    public let folder: FilePath?

    /// - Parameter state: the state folder of `--state`, if any.
    public init(state: FilePath?) {
        folder = state?.appending("models")
    }

    /// The model that `name` means: a file's path, or a model's name in the state folder or the package; nil means the
    /// model in use for the camera: its own, else the promoted one of the state folder, else the one in the package.
    public func model(named name: String?, for camera: Camera? = nil) throws(ModelError) -> Model {
        try Model(contentsOf: path(named: name, for: camera))
    }

    /// The file that `model(named:for:)` reads.
    public func path(named name: String?, for camera: Camera? = nil) throws(ModelError) -> FilePath {
        guard let name else {
            if let camera, let own = try promoted(for: camera) { return own }
            if let promoted = try promoted(for: nil) { return promoted }
            return try shipped()
        }
        if name.contains("/") || name.hasSuffix(".safetensors") { return FilePath(name) }
        let candidates = [folder, Self.shippedFolder].compactMap { $0?.appending("\(name).safetensors") }
        for candidate in candidates where Self.exists(candidate) { return candidate }
        let known = available().compactMap(\.stem).joined(separator: ", ")
        throw ModelError(
            file: name, cause: "there is no model of that name",
            remedy: known.isEmpty ? "name a file with --model" : "use one of: \(known); or name a file with --model")
    }

    /// The model files of the state folder and the package, by name.
    public func available() -> [FilePath] {
        [folder, Self.shippedFolder].compactMap { $0 }.flatMap { folder in
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.string)) ?? []
            return names.filter { $0.hasSuffix(".safetensors") && !$0.hasPrefix(".") }.sorted().map {
                folder.appending($0)
            }
        }
    }

    /// The promoted model's file.
    private func promoted(for camera: Camera?) throws(ModelError) -> FilePath? {
        guard let folder, let name = promotions(for: camera).first else { return nil }
        let path = folder.appending("\(name).safetensors")
        guard Self.exists(path) else {
            throw ModelError(
                file: name, cause: "it was promoted but is missing",
                remedy: "restore it or remove \(folder)/\(camera.fileName(Self.marker))")
        }
        return path
    }

    private func shipped() throws(ModelError) -> FilePath {
        guard let path = Self.shippedFolder?.appending("denoised.safetensors"), Self.exists(path) else {
            throw ModelError(
                file: "denoised", cause: "the shipped model was not found beside the program",
                remedy: "install denoised again, or name a model with --model")
        }
        return path
    }

    private static func exists(_ path: FilePath) -> Bool { FileManager.default.fileExists(atPath: path.string) }

    /// Beside the built executable, or under the prefix that it was installed to.
    static let shippedFolder: FilePath? = {
        guard let executable = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            return nil
        }
        let folder = FilePath(executable).removingLastComponent()
        let candidates = [
            folder.removingLastComponent().appending("share/denoised/models"),
            folder.appending("denoised_Denoising.resources/Models"),
        ]
        return candidates.first(where: exists)
    }()
}
