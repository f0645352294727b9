import Networks
import Tensors

/// A method with what it needs to denoise one photograph tile by tile.
public protocol TileDenoiser: Sendable {
    var network: any Network { get }
    /// Stride of pixel downsampling; 1 for none.
    var stride: Int { get }
    /// Planes of a tile: 3, where grey is repeated, or 1.
    var channels: Int { get }
    /// Network passes over every pixel.
    var passes: Int { get }
    /// Share of all work on a photograph of that many pixels that `prepared` does, 0…1.
    func preparationShare(ofPixels pixels: Int) -> Double

    /// The method once it has learned what it must from the photograph itself; most know all they need.
    ///
    /// - Parameters:
    ///   - photograph: its pixels in [0, 1].
    ///   - progress: called with the finished share, 0…1.
    func prepared(
        for photograph: PhotographPixels, threads: Int, progress: @Sendable (Double) -> Void
    ) throws -> any TileDenoiser

    /// Denoises one tile.
    ///
    /// - Parameters:
    ///   - noisy: [channels, 1, height, width] in [0, 1], any size.
    ///   - row, column: where its first pixel lies in the photograph, multiples of `alignment`.
    ///   - threads: workers for what of the tile is independent.
    /// - Returns: the same shape, not clamped.
    func denoise(_ noisy: Tensor, row: Int, column: Int, threads: Int) throws -> Tensor
}

extension TileDenoiser {
    public var channels: Int { 3 }
    public func preparationShare(ofPixels pixels: Int) -> Double { 0 }
    public func prepared(
        for photograph: PhotographPixels, threads: Int, progress: @Sendable (Double) -> Void
    ) throws -> any TileDenoiser { self }

    /// Tile origins and sizes must be multiples of this, so that sub-images keep their phase.
    public var alignment: Int { stride * network.tiling.multiple }
    /// Pixels of the photograph that neighbouring tiles share.
    public var overlap: Int { stride * network.tiling.overlap }

    /// `size` rounded up to a multiple of `alignment`.
    func roundUp(_ size: Int) -> Int { (size + alignment - 1) / alignment * alignment }
}

/// A photograph that is too large to be held as floats: its rectangles are made when they are asked for.
public struct PhotographPixels: Sendable {
    public let height: Int
    public let width: Int
    /// [channels, 1, rows, columns] in [0, 1].
    public let window: @Sendable (_ rows: Range<Int>, _ columns: Range<Int>) -> Tensor

    public init(height: Int, width: Int, window: @escaping @Sendable (Range<Int>, Range<Int>) -> Tensor) {
        self.height = height
        self.width = width
        self.window = window
    }
}
