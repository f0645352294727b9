import ArgumentParser
import Denoising
import Imaging
import SystemPackage

/// A before/after picture to look at.
struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a PNG that shows the same place before and after, enlarged.",
        discussion: "denoised compare IMG_1.JPG out/IMG_1-denoised.jpg --out compare.png")

    @Argument(help: "The original.")
    var before: String

    @Argument(help: "The denoised photograph.")
    var after: String

    @Option(help: "The PNG to write; an existing file is not replaced.")
    var out: String

    @Option(help: "Side of the square that is shown, in pixels.")
    var side = 240

    @Option(help: "How many times it is enlarged.")
    var zoom = 3

    func validate() throws {
        guard side > 0, zoom > 0 else { throw ValidationError("--side and --zoom must be at least 1") }
    }

    func run() throws {
        var comparison = Comparison()
        comparison.side = side
        comparison.zoom = zoom
        comparison.limits = .ofNamedFiles
        comparison.decoder = .confined
        let place = try comparison.write(before: FilePath(before), after: FilePath(after), to: FilePath(out))
        print("\(out): row \(place.row), column \(place.column), enlarged \(zoom) times")
    }
}
