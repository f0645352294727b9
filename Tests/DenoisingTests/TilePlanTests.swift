@testable import Denoising
import Imaging
import Networks
import SystemPackage
import TestSupport
import Testing

@Suite struct TilePlanTests {
    /// 768 MiB for one tile, where 256 to 512 pixels a side allow.
    @Test(arguments: [(1, 512), (3072, 512), (4096, 443), (12_288, 256), (1 << 20, 256)])
    func tilesGetSmallerForNetworksThatNeedMoreMemory(bytesPerPixel: Int, side: Int) {
        let needs = TileRequirements(multiple: 1, overlap: 1, bytesPerPixel: bytesPerPixel)
        #expect(TiledDenoising.defaultTile(for: needs) == side)
    }

    /// Overlap and alignment follow the network and the stride that the model was taught for.
    @Test(arguments: [nil, "2"] as [String?]) func plainTilesKeepTheNetworksReach(stride: String?) throws {
        try withTemporaryPath { folder in
            let network = DnCNN(.init(width: 4, convolutions: 3))
            let path = folder.appending("dncnn.safetensors")
            let metadata = stride.map { ["plain_stride": $0] } ?? [:]
            try Model.write(Weights(initialising: network, seed: 5), of: network, metadata: metadata, to: path)
            func denoised(tile: Int?) throws -> PixelBuffer {
                var options = ImageOptions()
                options.method = .plain
                options.tile = tile
                options.threads = 1
                let pixels = Small.pixels(PixelKind(depth: 16, colourChannels: 3))
                let model = try Model(contentsOf: path)
                let pass = try TiledDenoising(
                    options, model, pixels, noiseSample: pixels.noiseSample, of: path, seed: 1)
                return try pass.run(on: pixels) { _ in }
            }
            // The overlap is the exact reach, so blending blends equal values: one unit of 16 bits for their rounding.
            let (whole, tiled) = (try denoised(tile: nil).allSamples, try denoised(tile: 20).allSamples)
            #expect(zip(whole, tiled).allSatisfy { abs($0 - $1) <= 1 })
            #expect(Set(whole).count > 100)
        }
    }
}
