import Methods
import Networks
import Synchronization
import Tensors
import Testing

@Suite struct AMSNetTests {
    static func method(
        _ kind: LocalNetwork.Kind, seed: UInt64 = 7, multiple: Int = 1, hiddenPixels: HiddenPixels = .zero,
        usesSeenPixels: Bool = false, refinements: Int = 0
    ) -> AMSNet {
        let network = LocalNetwork(kind: kind, multiple: multiple)
        return AMSNet(
            network: network, weights: network.weights, seed: seed, hiddenPixels: hiddenPixels,
            usesSeenPixels: usesSeenPixels, refinements: refinements)
    }

    /// What hidden pixels show is what the network made of them without their value: nothing.
    @Test func theIdentityOfHiddenZerosIsZero() throws {
        let output = try Self.method(.identity).denoise(Toy.image(19, 23, seed: 1))
        #expect(output.values.allSatisfy { $0 == 0 })
    }

    /// A network that gives back what it sees keeps every pixel, if what it saw counts.
    @Test(arguments: [0, 2]) func theIdentityOfSeenPixelsIsTheImage(refinements: Int) throws {
        let image = Toy.image(19, 23, seed: 1)
        let method = Self.method(.identity, multiple: 4, usesSeenPixels: true, refinements: refinements)
        #expect(try method.denoise(image).values == image.values)
    }

    /// Each output pixel comes from the pass that did not see it, so it must not change with its own input.
    @Test(arguments: LocalNetwork.Kind.allCases, HiddenPixels.allCases)
    func noOutputPixelDependsOnItsOwnInput(kind: LocalNetwork.Kind, hiddenPixels: HiddenPixels) throws {
        let method = Self.method(kind, hiddenPixels: hiddenPixels)
        let image = Toy.image(9, 11, seed: 2)
        let output = try method.denoise(image).values
        var reached = 0
        for pixel in 0..<99 {
            var changed = image
            changed.withMutablePointer { for channel in 0..<3 { $0[channel * 99 + pixel] += 0.5 } }
            let result = try method.denoise(changed).values
            for channel in 0..<3 { #expect(result[channel * 99 + pixel] == output[channel * 99 + pixel]) }
            reached += result == output ? 0 : 1
        }
        // Zeros through an identity show nothing at all; everything else passes values on to neighbours, a look to the
        // left to one of them.
        #expect(kind == .identity && hiddenPixels == .zero ? reached == 0 : reached > (kind == .left ? 20 : 50))
    }

    /// Padding counts as hidden: a flat image stays flat up to its border. Means round to 1e-7.
    @Test(arguments: [(5, 5), (9, 6), (7, 12), (1, 3)]) func paddingDoesNotDarkenTheBorder(height: Int, width: Int)
        throws
    {
        let method = Self.method(.identity, multiple: 4, hiddenPixels: .neighbours)
        let output = try method.denoise(Tensor([3, 1, height, width], repeating: 0.5)).values
        // A sub-image too small to show anything near a pixel leaves 0 there.
        #expect(output.allSatisfy { $0 == 0 || abs($0 - 0.5) < 1e-6 })
        #expect(output.contains { $0 != 0 })
    }

    @Test(arguments: [0, 1, 3], [false, true])
    func anyNumberOfThreadsGivesTheSameBytes(refinements: Int, usesSeenPixels: Bool) throws {
        let method = AMSNet(
            network: Toy.network, weights: Toy.weights, seed: 5, usesSeenPixels: usesSeenPixels,
            refinements: refinements)
        let image = Toy.image(21, 26, seed: 3)
        let outputs = try [1, 2, 3].map { try method.denoise(image, threads: $0).values }
        #expect(outputs[0] == outputs[1] && outputs[0] == outputs[2])
        #expect(outputs[0].contains { $0 != 0 })
    }

    /// At stride 2, filling reaches 4 pixels and a blur 2 more; at stride 1 in a refinement half of that again: 9.
    @Test(arguments: LocalNetwork.Kind.allCases, [0, 2])
    func theInteriorOfATileEqualsTheWholeImage(kind: LocalNetwork.Kind, refinements: Int) throws {
        let method = Self.method(kind, multiple: 2, hiddenPixels: .neighbours, refinements: refinements)
        let image = Toy.image(60, 72, seed: 4)
        let whole = try method.denoise(image)
        let tile = try method.denoise(Self.slice(image, 8, 16, 40, 44), row: 8, column: 16)
        #expect(Self.slice(tile, 9, 9, 22, 26).values == Self.slice(whole, 17, 25, 22, 26).values)
        // At another place it would have other masks.
        let elsewhere = try method.denoise(Self.slice(image, 8, 16, 40, 44), row: 8, column: 12)
        #expect(elsewhere.values != tile.values)
    }

    /// Two for each block, whose masks are each other's complement; every block draws its own (spec A.8).
    @Test(arguments: [0, 1, 8]) func everyBlockRunsOnBothSidesOfAMaskOfItsOwn(refinements: Int) throws {
        let network = RecordingNetwork()
        let weights = Weights(initialising: network, seed: 0)
        let method = AMSNet(network: network, weights: weights, seed: 11, refinements: refinements)
        _ = try method.denoise(Tensor([3, 1, 16, 20], repeating: 0.5))
        let seen = network.seen.withLock { $0 }
        #expect(method.passes == 2 + 2 * refinements)
        #expect(seen.count == method.passes)
        #expect(Set(seen).count == seen.count)
        for block in stride(from: 0, to: seen.count, by: 2) {
            #expect(zip(seen[block], seen[block + 1]).allSatisfy { $0 != $1 })
        }
    }

    /// A network that looks one pixel to the left makes of a ramp what it is there; copies that look at its mirror image
    /// find the pixel to the right, and four of them together the ramp.
    @Test func refinementCopiesMirrorTheImage() throws {
        let network = LocalNetwork(kind: .left)
        let ramp = Tensor([3, 1, 12, 12], (0..<3 * 144).map { Float($0 % 12) / 12 })
        func centre(_ refinements: Int) throws -> [Float] {
            let method = AMSNet(
                network: network, weights: network.weights, seed: 3, stride: 1, hiddenPixels: .neighbours,
                usesSeenPixels: false, refinements: refinements, replacement: 1)
            let values = try method.denoise(ramp).values
            return (5..<7).map { values[6 * 12 + $0] * 12 - Float($0) }
        }
        // The mean of visible neighbours is the ramp itself but for half a pixel.
        #expect(try centre(1).allSatisfy { $0 < -0.4 })
        #expect(try centre(4).allSatisfy { abs($0) < 0.4 })
    }

    @Test(arguments: [(1, 1), (1, 53), (37, 1), (2, 3), (7, 8), (16, 16), (37, 53)])
    func everySizeIsKept(height: Int, width: Int) throws {
        let image = Toy.image(height, width, seed: 6)
        let amsnet = AMSNet(network: Toy.network, weights: Toy.weights, seed: 8, refinements: 1)
        let output = try amsnet.denoise(image)
        #expect(output.shape == image.shape && output.isFinite)
        let plain = Plain(network: Toy.network, weights: Toy.weights).denoise(image)
        #expect(plain.shape == image.shape && plain.isFinite)
    }

    @Test func seedsGiveOtherMasks() throws {
        let image = Toy.image(16, 16, seed: 9)
        let outputs = try [1, 2].map { try Self.method(.blur, seed: $0).denoise(image).values }
        #expect(outputs[0] != outputs[1])
    }

    /// Each sub-image is denoised on its own, so the stride shows in what a pixel depends on.
    @Test func aPlainPassCanWorkOnSubImages() {
        let network = LocalNetwork(kind: .blur, multiple: 4)
        let image = Toy.image(13, 10, seed: 8)
        let output = Plain(network: network, weights: network.weights, stride: 2).denoise(image)
        let subImages = pixelDownsample(padded(Variable(image), height: 16, width: 16), stride: 2).tensor
        let expected = pixelUpsample(Variable(network.infer(subImages, network.weights)), stride: 2)
        #expect(output.values == cropped(expected, height: 13, width: 10).tensor.values)
    }

    @Test func aPlainPassIsTheNetwork() {
        let image = Toy.image(5, 7, seed: 10)
        let network = LocalNetwork(kind: .identity, multiple: 4)
        #expect(Plain(network: network, weights: network.weights).denoise(image).values == image.values)
    }

    private static func slice(_ image: Tensor, _ row: Int, _ column: Int, _ height: Int, _ width: Int) -> Tensor {
        let values = image.values
        return Tensor(
            [3, 1, height, width],
            (0..<3).flatMap { channel in
                (row..<row + height).flatMap { y -> ArraySlice<Float> in
                    let start = (channel * image.height + y) * image.width + column
                    return values[start..<start + width]
                }
            })
    }
}
