import Foundation
import Imaging
import SystemPackage

// `<state>/models/promoted` is a text file: the name of the promoted model, then those of its predecessors, newest
// first. One file, replaced as a whole, so that a crash leaves either the old state or the new one.
extension ModelStore {
    /// Promoted models are remembered this far back.
    private static let memory = 100

    /// The names of the promoted model and its predecessors, newest first; empty where the shipped model is in use.
    public var promotions: [String] {
        guard let folder, let text = try? String(contentsOfFile: folder.appending("promoted").string, encoding: .utf8)
        else { return [] }
        return text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }
    }

    /// Makes a model the one that the state folder's commands use, copying it there if it lies elsewhere.
    ///
    /// - Parameter name: a model's name or file.
    /// - Returns: the model under its name in the state folder.
    /// - Throws: `ModelError`, also where another model has the name already.
    public func promote(_ name: String) throws -> Model {
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
        if promotions.first != model.name { try write([model.name] + promotions) }
        return try Model(contentsOf: own)
    }

    /// Goes back to the model that was promoted before.
    ///
    /// - Returns: what is in use now: the model before, or the shipped one.
    /// - Throws: `ModelError` where nothing was promoted, or where the model before is missing or damaged.
    public func rollback() throws -> Model {
        let folder = try requiredFolder()
        let names = promotions
        guard !names.isEmpty else {
            throw ModelError(
                file: folder.string, cause: "no model was promoted, so there is none to go back to",
                remedy: "promote one with denoised model use")
        }
        let before =
            try names.count > 1
            ? Model(contentsOf: folder.appending("\(names[1]).safetensors")) : Self(state: nil).model(named: nil)
        try write(Array(names.dropFirst()))
        return before
    }

    private func requiredFolder() throws(ModelError) -> FilePath {
        guard let folder else {
            throw ModelError(file: "models", cause: "no state folder was named", remedy: "name it with --state")
        }
        return folder
    }

    private func write(_ names: [String]) throws {
        let lines = names.prefix(Self.memory).map { "\($0)\n" }.joined()
        try StagedFile.replace(try requiredFolder().appending("promoted"), with: Data(lines.utf8))
    }
}
