import Denoising
import Ledger
import SystemPackage

/// What a run would do, for `run --dry-run`. Nothing is written, not even to the ledger.
public struct Plan: Sendable, Equatable {
    /// What would become of one photograph.
    public enum Step: Sendable, Equatable {
        case denoise(into: FilePath)
        /// The ledger has it in this state already.
        case leave(id: Int64, PhotographState)
        /// Another file has the same content: that file, or the number of its photograph.
        case duplicate(of: String)
        case unreadable(reason: String)
    }

    /// One photograph of an inbox.
    public struct Item: Sendable, Equatable {
        public var source: FilePath
        public var step: Step
    }

    /// In the order in which they would be denoised.
    public var items: [Item] = []
    /// Folders that cannot be read.
    public var problems: [ServiceError] = []

    /// - Parameter ledger: nil if there is none yet.
    /// - Throws: `ServiceError` if the configuration is not complete, `LedgerError`.
    public init(_ configuration: Configuration, denoiser: any PhotographDenoising, ledger: Ledger?) throws {
        try configuration.validate()
        let scanner = InboxScanner(configuration)
        var contents: [String: FilePath] = [:]
        for inbox in configuration.watch.paths {
            let found = scanner.scan(inbox)
            problems += found.problems
            let known = try ledger?.sightings(of: found.photographs.map(\.path)) ?? [:]
            for (path, identity) in found.photographs {
                let step: Step
                if let sighting = known[path], sighting.state.isFinal, IntakeLoop.isKnown(sighting, as: identity) {
                    step = .leave(id: sighting.id, sighting.state)
                } else {
                    step = try Self.step(path, inbox, configuration, denoiser, ledger, &contents)
                }
                items.append(Item(source: path, step: step))
            }
        }
    }

    private static func step(
        _ path: FilePath, _ inbox: FilePath, _ configuration: Configuration, _ denoiser: any PhotographDenoising,
        _ ledger: Ledger?, _ contents: inout [String: FilePath]
    ) throws -> Step {
        let hash: String
        do {
            hash = try ContentHash(of: path).text
        } catch {
            return .unreadable(reason: "\(error)")
        }
        let recipe = denoiser.recipes[try ledger?.camera(ofContent: hash)]
        if let original = try ledger?.done(contentHash: hash, recipeHash: recipe.hash) {
            return .duplicate(of: "photograph \(original)")
        }
        if let original = contents[hash] { return .duplicate(of: original.string) }
        contents[hash] = path
        var folder = path.removingLastComponent()
        let output = configuration.output.directory ?? configuration.state
        guard folder.removePrefix(inbox) else { return .denoise(into: output) }
        return .denoise(into: output.appending(folder.components))
    }
}
