@testable import Methods
import Networks
import Synchronization
import Tensors
import TestSupport
import Testing

@Suite struct ZeroShotTests {
    /// PyTorch's values, made by Tests/Fixtures/ZSN2N/make.py.
    struct Golden {
        let tensors: [String: Tensor]
        let network: any Network
        let weights: Weights
        let noisy: Tensor

        init(_ kind: String) throws {
            let file = try Safetensors(Fixtures.data("ZSN2N/zsn2n.safetensors"))
            var tensors: [String: Tensor] = [:]
            for (name, tensor) in file.tensors where name.hasPrefix("\(kind).") {
                tensors[String(name.dropFirst(kind.count + 1))] = tensor
            }
            self.tensors = tensors
            network = ZSN2N(kind == "grey" ? .grey : .colour)
            weights = try Weights(
                Dictionary(
                    uniqueKeysWithValues: tensors.filter { $0.key.hasPrefix("weight.") }
                        .map { (String($0.key.dropFirst("weight.".count)), $0.value) }), for: network)
            noisy = try #require(tensors["input"]).swappingChannelsAndBatch()
        }
    }

    /// 1e-5: sums of a few hundred products below 1 in single precision.
    @Test(arguments: ["colour", "grey"]) func theDenoisedImageEqualsPyTorch(kind: String) throws {
        let golden = try Golden(kind)
        let output = golden.network.infer(golden.noisy, golden.weights)
        let expected = try #require(golden.tensors["denoised"]).swappingChannelsAndBatch()
        #expect(output.shape == expected.shape)
        #expect(zip(output.values, expected.values).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    /// Four strips with what they see around them are as exact as the whole image.
    @Test(arguments: ["colour", "grey"], [1, ZeroShotCrops.parts])
    func lossesAndGradientsEqualPyTorchInAnyNumberOfParts(kind: String, parts: Int) throws {
        let golden = try Golden(kind)
        let image = golden.noisy
        let whole = ZeroShotCrops.Crop(rows: 0..<14, columns: 0..<18, seen: (0..<14, 0..<18))
        let crops =
            parts == 1
            ? [whole] : try ZeroShotCrops(height: 14, width: 18, stride: 1, pixels: 1 << 16).windows(key: 0)
        let results = crops.map { crop in
            zeroShotLoss(
                of: image.window(crop.seen.rows, crop.seen.columns), crop, stride: 1, golden.network, golden.weights,
                entries: image.channels * 14 * 18 / 2)
        }
        let losses = try #require(golden.tensors["losses"]).values
        // Relative: sums of squares round as much as their terms.
        #expect(abs(results.reduce(0) { $0 + $1.residual } / Double(losses[0]) - 1) < 1e-5)
        #expect(abs(results.reduce(0) { $0 + $1.consistency } / Double(losses[1]) - 1) < 1e-5)
        #expect(crops.count == parts)
        for name in golden.weights.tensors.keys {
            let expected = try #require(golden.tensors["gradient.\(name)"]).values
            let actual = expected.indices.map { index in
                results.reduce(Float(0)) { $0 + ($1.gradients[name]?.values[index] ?? 0) }
            }
            let scale = expected.map(abs).max() ?? 0
            // 1e-4: rounding of Winograd's convolutions, as for the other networks.
            #expect(zip(actual, expected).allSatisfy { abs($0 - $1) < 1e-4 * scale }, "\(name)")
        }
    }

    /// Means of |h(D₁) − D₂|, |h(D₂) − D₁| and of |h(Dᵢ) − Dᵢ∘h(y)| over four sub-images, in place of the squares of
    /// one.
    @Test func errorsAreAbsoluteOnSubImages() throws {
        let network = ZSN2N(.init(channels: 3, width: 5))
        let weights = Weights(initialising: network, seed: 2)
        let image = Toy.image(16, 24, seed: 3)
        let whole = ZeroShotCrops.Crop(rows: 0..<16, columns: 0..<24, seen: (0..<16, 0..<24))
        let entries = 3 * 16 * 24 / 2
        let result = zeroShotLoss(of: image, whole, stride: 2, network, weights, entries: entries)
        let subImages = pixelDownsample(Variable(image), stride: 2)
        let denoisedViews = network.infer(pairDownsampled(subImages).tensor, weights).values
        func distance(_ target: Variable) -> Double {
            zip(denoisedViews, target.tensor.values).reduce(0.0) { $0 + Double(abs($1.0 - $1.1)) } / Double(entries)
        }
        // 1e-5: sums of a few hundred terms in another order.
        #expect(abs(result.residual - distance(pairDownsampled(subImages, exchanged: true))) < 1e-5)
        let denoised = Variable(network.infer(subImages.tensor, weights))
        #expect(abs(result.consistency - distance(pairDownsampled(denoised))) < 1e-5)
    }

    /// On sub-images the learned network is run eight times more, over whole copies: tiles still meet without a seam,
    /// as what is put back depends on absolute places.
    @Test func refinedTilesAreThoseOfTheWholePhotograph() throws {
        let noisy = Toy.image(64, 64, seed: 4)
        let method = ZeroShot(channels: 3, stride: 2, seed: 5, schedule: Self.schedule(2))
        #expect(method.passes == 9 && ZeroShot(channels: 3, seed: 5).passes == 1)
        let learned = try method.prepared(for: Self.photograph(noisy), threads: 1) { _ in }
        let whole = try learned.denoise(noisy, row: 0, column: 0, threads: 2)
        let tile = try learned.denoise(noisy.window(16..<64, 8..<64), row: 16, column: 8, threads: 1)
        // Away from the tile's edges by what two passes see; 1e-5: rounding of Winograd's sums.
        let inner = tile.window(8..<48, 8..<56).values
        #expect(zip(inner, whole.window(24..<64, 16..<64).values).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    /// A schedule for tests, and a photograph that it learns from.
    static func schedule(_ steps: Int) -> ZeroShot.Schedule {
        var schedule = ZeroShot.Schedule()
        schedule.steps = steps
        schedule.rate = 3e-3
        schedule.pixels = 1024
        return schedule
    }

    static func photograph(_ image: Tensor) -> PhotographPixels {
        PhotographPixels(height: image.height, width: image.width) { image.window($0, $1) }
    }

    @Test(arguments: [(24, 40), (61, 53)], [1, 2]) func anyNumberOfThreadsGivesTheSameBytes(
        size: (Int, Int), stride: Int
    ) throws {
        let noisy = Toy.image(size.0, size.1, seed: 1)
        let outputs = try [1, 3].map { threads in
            let method = ZeroShot(channels: 3, stride: stride, seed: 5, schedule: Self.schedule(6))
            let learned = try method.prepared(for: Self.photograph(noisy), threads: threads) { _ in }
            return try learned.denoise(noisy, row: 0, column: 0, threads: threads)
        }
        #expect(outputs[0].shape == noisy.shape && outputs[0].isFinite)
        #expect(outputs[0].values.map(\.bitPattern) == outputs[1].values.map(\.bitPattern))
        #expect(outputs[0].values != noisy.values)
    }

    @Test func anotherSeedLearnsSomethingElse() throws {
        let noisy = Toy.image(40, 40, seed: 1)
        let outputs = try [1, 2].map { seed in
            try ZeroShot(channels: 3, seed: seed, schedule: Self.schedule(3))
                .prepared(for: Self.photograph(noisy), threads: 1) { _ in }
                .denoise(noisy, row: 0, column: 0, threads: 1).values
        }
        #expect(outputs[0] != outputs[1])
    }

    /// Noise of 0.1 on a ramp: 300 steps must take away half of its energy, in grey, in colour and at stride 2, where
    /// neighbours share their noise.
    @Test(arguments: [(1, 1), (3, 1), (3, 2)]) func noiseIsLearnedToBeRemoved(channels: Int, stride: Int) throws {
        var random = RandomSource(seed: 9)
        let side = 48
        var clean: [Float] = []
        var noise: [Float] = []
        for _ in 0..<channels {
            let independent = (0..<side * side).map { _ in 0.1 * random.normal() }
            for row in 0..<side {
                for column in 0..<side {
                    clean.append(0.3 + 0.4 * Float(row + column) / Float(2 * side))
                    // The mean with the right neighbour, with its energy restored.
                    let right = row * side + (column + 1) % side
                    let shared = (independent[row * side + column] + independent[right]) / Float(2).squareRoot()
                    noise.append(stride == 1 ? independent[row * side + column] : shared)
                }
            }
        }
        let noisy = Tensor([channels, 1, side, side], zip(clean, noise).map { $0 + $1 })
        let progress = Mutex<[Double]>([])
        let learned = try ZeroShot(channels: channels, stride: stride, seed: 1, schedule: Self.schedule(300))
            .prepared(for: Self.photograph(noisy), threads: 2) { share in progress.withLock { $0.append(share) } }
        let output = try learned.denoise(noisy, row: 0, column: 0, threads: 1)
        let before = noise.reduce(0) { $0 + $1 * $1 }
        let after = zip(output.values, clean).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        #expect(after < before / 2)
        #expect(progress.withLock { $0 } == (1...300).map { Double($0) / 300 })
        #expect(learned.channels == channels && learned.stride == stride && learned.overlap == 16 * stride)
    }

    @Test(arguments: [(7, 100, 1), (100, 15, 2), (1, 1, 1)]) func tooFewPixelsAreAnErrorThatSaysHowMany(
        height: Int, width: Int, stride: Int
    ) {
        let photograph = Self.photograph(Tensor([3, 1, height, width]))
        #expect(throws: ZeroShotError.tooSmall(height: height, width: width, least: 8 * stride)) {
            try ZeroShot(channels: 3, stride: stride, seed: 1).prepared(for: photograph, threads: 1) { _ in }
        }
    }
}

@Suite struct ZeroShotCropsTests {
    @Test(arguments: [(8, 8, 1), (250, 252, 1), (101, 99, 2), (97, 600, 3)])
    func smallPhotographsAreLearnedFromAsAWhole(height: Int, width: Int, stride: Int) throws {
        let unit = 2 * stride
        let crops = try ZeroShotCrops(height: height, width: width, stride: stride, pixels: 1 << 16)
        var seen = (rows: Set<Int>(), columns: Set<Int>())
        for key in 0..<200 as Range<UInt64> {
            let windows = crops.windows(key: key)
            let rows = windows.flatMap { $0.rows }
            #expect(rows == Array(rows[0]..<rows[0] + height / unit * unit))
            #expect(windows.allSatisfy { $0.columns == windows[0].columns })
            #expect(windows[0].columns.count == width / unit * unit)
            seen.rows.formUnion(rows)
            seen.columns.formUnion(windows[0].columns)
        }
        // As published, the last row or column is left out at stride 1; else each is learned from at some step.
        #expect(seen.rows == Set(0..<(stride == 1 ? height / 2 * 2 : height)))
        #expect(seen.columns == Set(0..<(stride == 1 ? width / 2 * 2 : width)))
    }

    @Test(arguments: [(4000, 3000, 1), (9, 20_000, 1), (30_000, 17, 2), (300, 301, 3)])
    func largePhotographsAreSeenThroughWindowsOfTheSamePhase(height: Int, width: Int, stride: Int) throws {
        let (unit, pixels) = (2 * stride, 1 << 16)
        let crops = try ZeroShotCrops(height: height, width: width, stride: stride, pixels: pixels)
        let windows = (0..<50 as Range<UInt64>).flatMap { key in
            let windows = crops.windows(key: key)
            for (ranges, first) in [
                (windows.flatMap { [$0.rows, $0.seen.rows] }, windows[0].rows.lowerBound),
                (windows.flatMap { [$0.columns, $0.seen.columns] }, windows[0].columns.lowerBound),
            ] {
                let places = ranges.flatMap { [$0.lowerBound, $0.upperBound] }
                #expect(places.allSatisfy { ($0 - first) % unit == 0 })
            }
            return windows
        }
        for window in windows {
            #expect(window.pixels <= pixels / 4 && window.pixels > pixels / 4 * 8 / 10)
            #expect(window.seen.rows.contains(window.rows.lowerBound) && window.seen.rows.upperBound <= height)
            #expect(window.seen.columns.upperBound <= width)
            // As far as two convolutions of images of half size see, except beyond the photograph.
            let rows = window.seen.rows.lowerBound
            #expect(rows == max(rows % unit, window.rows.lowerBound - 2 * unit))
            let columns = window.seen.columns.lowerBound
            #expect(columns == max(columns % unit, window.columns.lowerBound - 2 * unit))
        }
        #expect(Set(windows.map { [$0.rows.lowerBound, $0.columns.lowerBound] }).count > 20)
        // Places reach both ends.
        let along = height > width ? windows.map(\.rows) : windows.map(\.columns)
        #expect((along.map(\.lowerBound).min() ?? 0) < max(height, width) / 10)
        #expect((along.map(\.upperBound).max() ?? 0) > max(height, width) * 9 / 10)
        #expect(crops.windows(key: 3) == crops.windows(key: 3) && crops.windows(key: 3) != crops.windows(key: 4))
    }
}

extension Tensor {
    /// The given rows and columns of an activation of one image.
    func window(_ rows: Range<Int>, _ columns: Range<Int>) -> Tensor {
        let all = values
        return Tensor(
            [channels, 1, rows.count, columns.count],
            (0..<channels).flatMap { c in
                rows.flatMap { row in columns.map { all[(c * height + row) * width + $0] } }
            })
    }
}
