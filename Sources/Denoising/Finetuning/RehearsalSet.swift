import Imaging
import SystemPackage

/// Clean photographs inside the package that fine-tuning learns from beside the captures, under noise of other cameras:
/// a rehearsal of what the model could do before (Robins 1995), which training on a few captures alone would overwrite.
///
/// `rehearsal.png` holds 48 crops of 192×192 pixels; none comes from a photograph of the pinned set.
public struct RehearsalSet: Sendable {
    let pictures: [PlanarImage]
    private static let side = 192

    /// The set of the package.
    ///
    /// - Throws: `ModelError` where the package is incomplete.
    public static func shipped() throws -> RehearsalSet {
        RehearsalSet(atlas: try .shipped("rehearsal.png"), side: side)
    }

    /// - Parameter atlas: crops of `side`² side by side, in rows.
    init(atlas: PlanarImage, side: Int) {
        pictures = stride(from: 0, through: atlas.height - side, by: side).flatMap { row in
            stride(from: 0, through: atlas.width - side, by: side).map { column in
                atlas.cropped(to: Tile(x: column, y: row, width: side, height: side))
            }
        }
    }
}

extension PlanarImage {
    /// A picture that lies beside the shipped model.
    ///
    /// - Throws: `ModelError` where the package is incomplete.
    static func shipped(_ name: String) throws -> PlanarImage {
        guard let path = ModelStore.shippedFolder?.appending(name) else {
            throw ModelError(
                file: name, cause: "it was not found beside the program", remedy: "install denoised again")
        }
        return try ImageDecoder.decode(path).pixels.planar()
    }
}
