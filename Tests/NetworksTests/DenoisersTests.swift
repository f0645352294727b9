import Networks
import Tensors
import Testing

@Suite struct DenoisersTests {
    /// Spec B's table and texts: parameters, values that are no parameters, tensors, multiply-accumulates per pixel.
    /// NAFNetBase's are those without its gates, which work once for each image: 60 for each pixel of 256².
    @Test(arguments: [
        ("restormer", 26_111_668, 0, 406, 2_363_312), ("nafnet", 29_056_227, 0, 736, 242_032),
        ("nafnet-simplegate", 20_226_659, 0, 664, 186_736), ("nafnet-sidd-32", 29_159_715, 0, 664, 244_768),
        ("unet", 7_935_555, 0, 50, 1_101_008), ("student", 1_021_107, 0, 32, 203_897),
        ("dncnn", 559_363, 1_935, 109, 556_416), ("deamnet", 2_228_131, 0, 162, 2_225_376),
        ("d-a", 3_656_131, 557_056, 100, 3_650_112), ("d-as", 3_656_131, 557_056, 100, 3_650_112),
        ("zsn2n", 22_275, 0, 6, 22_176), ("dbsn", 6_620_329, 313_344, 300, 6_606_688),
        ("mwcnn", 16_168_940, 0, 48, 888_768),
    ]) func publishedNetworksHaveTheirPublishedSizes(
        name: String, parameters: Int, buffers: Int, tensors: Int, multiplications: Int
    ) throws {
        let network = try #require(NetworkConfiguration.named[name]).makeNetwork()
        #expect(network.parameterCount == parameters)
        #expect(network.parameters.reduce(0) { $0 + $1.count } == parameters + buffers)
        #expect(network.parameters.count == tensors)
        #expect(Set(network.parameters.map(\.name)).count == tensors)
        // The spec rounds to whole ones.
        #expect(abs(network.multiplicationsPerPixel - Double(multiplications)) <= 0.5)
    }

    /// Parameters of the backbone and of both heads, in colour and grey (spec C.1 and C.2).
    @Test(
        arguments: [
            (1, .awgn, [6_612_289, 1_841, 865]), (1, .heteroscedastic, [6_612_289, 4_193, 3_265]),
            (3, .awgn, [6_612_675, 4_259, 3_395]), (3, .multivariate, [6_612_675, 4_358, 3_494]),
        ] as [(Int, BayesianDBSN.Noise, [Int])]) func theThreePartsOfDBSNHaveTheirPublishedSizes(
            channels: Int, noise: BayesianDBSN.Noise, parameters: [Int]
        )
    {
        let network = BayesianDBSN(.init(channels: channels, width: 96, blocks: 8, noise: noise))
        let counts = BayesianDBSN.Group.allCases.map { group in
            network.trainedParameters.reduce(0) { $0 + (group.holds($1.name) ? $1.count : 0) }
        }
        #expect(counts == parameters)
        #expect(network.trainedParameters.count { $0.name.hasPrefix("dbsn.") } == 282)
    }

    @Test func partOfDeamNetIsNeverRun() {
        let idle = DeamNet(.published).parameters.filter { $0.role == .idle }
        #expect(idle.reduce(0) { $0 + $1.count } == 352_512)
    }

    /// Single blocks of 1×1 to 3×3 multiples, and images that are no multiple.
    @Test(arguments: WeightsTests.configurations, [(2, 1), (3, 2)])
    func imagesOfAnySizeKeepIt(configuration: NetworkConfiguration, blocks: (Int, Int)) {
        let network = configuration.makeNetwork()
        let weights = Weights(initialising: network, seed: 1)
        let multiple = network.tiling.multiple
        let exact = Tensor([3, 1, blocks.0 * multiple, blocks.1 * multiple], repeating: 0.5)
        let output = network.infer(exact, weights)
        #expect(output.shape == exact.shape)
        #expect(output.isFinite)
        let odd = Tensor([3, 2, blocks.0 * multiple - (multiple > 1 ? 1 : 0), blocks.1 * multiple + 1], repeating: 0.5)
        #expect(network.anySize(Variable(odd), Pass(weights)).tensor.shape == odd.shape)
    }

    /// Statistics of the whole batch would couple images; in inference none does.
    @Test(arguments: WeightsTests.configurations) func imagesOfABatchDoNotSeeEachOther(
        configuration: NetworkConfiguration
    ) {
        let network = configuration.makeNetwork()
        let weights = Weights(initialising: network, seed: 2)
        var random = RandomSource(seed: 3)
        let side = 2 * network.tiling.multiple
        let both = Tensor([3, 2, side, side], (0..<6 * side * side).map { _ in random.uniform() })
        let first = Tensor(
            [3, 1, side, side], (0..<3).flatMap { both.values[$0 * 2 * side * side..<($0 * 2 + 1) * side * side] })
        let together = network.infer(both, weights).values
        let alone = network.infer(first, weights).values
        // Bands of pixels end elsewhere, and sums with them.
        let difference = alone.indices.map { abs(alone[$0] - together[$0 / (side * side) * side * side + $0]) }.max()
        #expect((difference ?? 1) < 1e-5)
    }

    /// A change of one pixel changes the output there only where the blind spot leaks, and nothing beyond the reach.
    /// Winograd's sums leave rounding of 1e-7 in neighbours that share a tile, a tenth of what counts as a change.
    @Test(arguments: [true, false]) func onlyDilationsKeepTheBlindSpot(isDilated: Bool) {
        let network = DBSN(.init(width: 16, modules: 2, isDilated: isDilated))
        let weights = Weights(initialising: network, seed: 4)
        let (side, centre) = (25, 12)
        var random = RandomSource(seed: 5)
        var image = Tensor([3, 1, side, side], (0..<3 * side * side).map { _ in random.uniform() })
        let before = network.infer(image, weights).values
        image.withMutablePointer { for c in 0..<3 { $0[c * side * side + centre * side + centre] = 1 } }
        let after = network.infer(image, weights).values
        let changed = (0..<side * side).filter { p in
            (0..<3).contains { abs(before[$0 * side * side + p] - after[$0 * side * side + p]) > 1e-6 }
        }
        #expect(changed.contains(centre * side + centre) != isDilated)
        let reach = changed.map { max(abs($0 / side - centre), abs($0 % side - centre)) }.max() ?? 0
        // What reaches the corners is smaller than the threshold with these weights.
        #expect((network.tiling.overlap / 2...network.tiling.overlap).contains(reach))
    }
}

@Suite struct RecognitionTests {
    static func shapes(_ configuration: NetworkConfiguration) -> [String: [Int]] {
        Dictionary(uniqueKeysWithValues: configuration.makeNetwork().parameters.map { ($0.name, $0.shape) })
    }

    @Test(
        arguments: Array(NetworkConfiguration.named.values) + WeightsTests.configurations + GoldenTests.cases.map(\.1))
    func everyNetworkIsFoundFromItsOwnShapes(configuration: NetworkConfiguration) {
        var expected = configuration
        if case .dbsn(let leaking) = configuration {
            expected = .dbsn(.init(width: leaking.width, modules: leaking.modules, isDilated: true))
        }
        #expect(NetworkConfiguration.recognised(from: Self.shapes(configuration)) == expected)
    }

    /// Loading then says which tensors do not fit.
    @Test func aMissingOrForeignTensorDoesNotHideTheNetwork() {
        for (name, configuration) in NetworkConfiguration.named where !name.hasPrefix("d-as") {
            var shapes = Self.shapes(configuration)
            shapes["extra.weight"] = [1]
            if let bias = shapes.keys.filter({ $0.hasSuffix(".bias") }).max() { shapes[bias] = nil }
            #expect(NetworkConfiguration.recognised(from: shapes) == configuration, "\(name)")
        }
    }

    @Test(
        arguments: [
            [:], ["weight": [3]], ["conv.weight": [64, 3, 3, 3]], ["intro.weight": []],
            ["intro.weight": [32, 3, 3, 3]],
            ["model.0.weight": [64]], ["model.0.weight": [Int.max, 3, 3, 3]],
            ["enc_conv0.weight": [0], "nin_a.weight": [1]],
            ["patch_embed.proj.weight": [-48, 3, 3, 3]], ["patch_embed.proj.weight": [47, 3, 3, 3]],
            ["branch1.body.0.weight": [1 << 62, 1, 3, 3]],
            [
                "intro.weight": [32], "downs.0.weight": [], "middle_blks.0.sca.1.weight": [],
                "middle_blks.0.conv1.weight": [1, 0, 1, 1],
            ],
        ] as [[String: [Int]]]) func whatNoNetworkCanBeBuiltFromIsNotRecognised(shapes: [String: [Int]])
    {
        #expect(NetworkConfiguration.recognised(from: shapes) == nil)
    }
}
