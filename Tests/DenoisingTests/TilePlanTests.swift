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

    /// 37×29 pixels in tiles of at most 20: a reach of 3 pixels, or of 3 pixels of sub-images at stride 2.
    @Test(arguments: [(nil, "2x2 of 20x16"), ("2", "3x2 of 18x18")] as [(String?, String)])
    func overlapAndAlignmentFollowTheNetworkAndItsStride(stride: String?, plan: String) throws {
        try withTemporaryPath { folder in
            let network = DnCNN(.init(width: 4, convolutions: 3))
            let path = folder.appending("dncnn.safetensors")
            let metadata = stride.map { ["plain_stride": $0] } ?? [:]
            try Model.write(Weights(initialising: network, seed: 5), of: network, metadata: metadata, to: path)
            var options = ImageOptions()
            options.method = .plain
            options.tile = 20
            let pixels = Small.pixels(PixelKind(depth: 16, colourChannels: 3))
            let pass = try TiledDenoising(
                options, try Model(contentsOf: path), pixels, NoiseAssessment(of: pixels.noiseSample),
                noiseSample: pixels.noiseSample, of: path, seed: 1)
            #expect(pass.plan == plan)
            #expect(try pass.run(on: pixels) { _ in }.allSamples != pixels.allSamples)
        }
    }
}
