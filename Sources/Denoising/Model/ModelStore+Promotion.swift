import Foundation
import Imaging
import SystemPackage

// `<state>/models/promoted` is a text file: the name of the promoted model, then those of its predecessors, newest
// first. One file, replaced as a whole, so that a crash leaves either the old state or the new one. A camera with a
// model of its own has a file of the same form, `promoted-<camera>`.
extension ModelStore {
    /// Promoted models are remembered this far back.
    private static let memory = 100
    static let marker = "promoted"

    /// The names of the promoted model and its predecessors, newest first; empty where the shipped model is in use.
    public var promotions: [String] { promotions(for: nil) }

    /// The same of a camera; empty where it has no model of its own.
    public func promotions(for camera: Camera?) -> [String] {
        guard let folder,
            let text = try? String(
                contentsOfFile: folder.appending(camera.fileName(Self.marker)).string, encoding: .utf8)
        else { return [] }
        return text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }
    }

    /// The cameras that have a model of their own, by name.
    public var cameras: [Camera] {
        let names = folder.flatMap { try? FileManager.default.contentsOfDirectory(atPath: $0.string) } ?? []
        return names.compactMap { name in
            guard name.hasPrefix("\(Self.marker)-"), let camera = Camera(String(name.dropFirst(Self.marker.count + 1))),
                Camera?(camera).fileName(Self.marker) == name, !promotions(for: camera).isEmpty
            else { return nil }
            return camera
        }.sorted()
    }

    /// Makes a model the one that the state folder's commands use, copying it there if it lies elsewhere.
    ///
    /// - Parameters:
    ///   - name: a model's name or file.
    ///   - camera: for whose photographs alone; nil for those of cameras without a model of their own.
    /// - Returns: the model under its name in the state folder.
    /// - Throws: `ModelError`, also where another model has the name already.
    public func promote(_ name: String, for camera: Camera? = nil) throws -> Model {
        let folder = try requiredFolder()
        let model = try model(named: name)
        let own = folder.appending("\(model.name).safetensors")
        if FileManager.default.fileExists(atPath: own.string) {
            guard try Model(contentsOf: own).hash == model.hash else {
                throw ModelError(
                    file: name, cause: "the state folder has another model named \(model.name)",
                    remedy: "rename the file that is to be used")
            }
        } else {
            try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
            try StagedFile.replace(own, with: Data(FileContents(try path(named: name)).bytes))
        }
        let before = promotions(for: camera)
        if before.first != model.name { try write([model.name] + before, for: camera) }
        return try Model(contentsOf: own)
    }

    /// Goes back to the model that was promoted before.
    ///
    /// - Returns: what is in use now: the model before, or the shipped one; for a camera without one, what is in use
    ///   for the others.
    /// - Throws: `ModelError` where nothing was promoted, or where the model before is missing or damaged.
    public func rollback(for camera: Camera? = nil) throws -> Model {
        let folder = try requiredFolder()
        let names = promotions(for: camera)
        guard !names.isEmpty else {
            throw ModelError(
                file: folder.string,
                cause: "no model was promoted\(camera.map { " for \($0)" } ?? ""), so there is none to go back to",
                remedy: "promote one with denoised model use")
        }
        let before =
            try names.count > 1
            ? Model(contentsOf: folder.appending("\(names[1]).safetensors"))
            : (camera == nil ? Self(state: nil) : self).model(named: nil)
        try write(Array(names.dropFirst()), for: camera)
        return before
    }

    private func requiredFolder() throws(ModelError) -> FilePath {
        guard let folder else {
            throw ModelError(file: "models", cause: "no state folder was named", remedy: "name it with --state")
        }
        return folder
    }

    private func write(_ names: [String], for camera: Camera?) throws {
        let lines = names.prefix(Self.memory).map { "\($0)\n" }.joined()
        try StagedFile.replace(try requiredFolder().appending(camera.fileName(Self.marker)), with: Data(lines.utf8))
    }
}
