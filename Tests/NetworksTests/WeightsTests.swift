import Foundation
import Networks
import Tensors
import Testing

@Suite struct WeightsTests {
    static let configurations: [NetworkConfiguration] = [
        .restormer(.init(dim: 8, blocks: [1, 1, 1, 1], refinement: 1, heads: [1, 2, 2, 4])),
        .nafnet(.init(width: 8, encoder: [1, 1], middle: 1, decoder: [1, 1])),
        .nafnetSimpleGate(.init(width: 6, encoder: [2, 0], middle: 1, decoder: [1, 2], depthwise: 1, feed: 3)),
        .unet(.init(width: 5, head: 7)),
        .student(.init(width: 5, decoder: 7)),
        .dncnn(.init(width: 9, convolutions: 3)),
        .dbsn(.init(width: 6, modules: 3, isDilated: true)),
        .dbsn(.init(width: 6, modules: 0, isDilated: false)),
        .deamnet(.init(width: 5, reduced: 3)),
        .zsn2n(.init(channels: 3, width: 7)),
        .bayesianDBSN(.init(width: 4, blocks: 1, noise: .multivariate)),
        .mwcnn(.init(widths: [3, 5])),
        .student(.init(width: 5, decoder: 7, reduction: 2)),
    ]

    @Test func blendingGoesAStraightLine() throws {
        let network = Self.configurations[0].makeNetwork()
        let (a, b) = (Weights(initialising: network, seed: 1), Weights(initialising: network, seed: 2))
        let middle = a.blended(with: b, share: 0.75)
        #expect(middle.tensors.keys.sorted() == a.tensors.keys.sorted())
        for (name, tensor) in middle.tensors {
            let (first, second) = (try #require(a.tensors[name]).values, try #require(b.tensors[name]).values)
            let expected = zip(first, second).map { (pair: (Float, Float)) in 0.25 * pair.0 + 0.75 * pair.1 }
            #expect(zip(tensor.values, expected).allSatisfy { abs($0 - $1) < 1e-6 })
            #expect(a.blended(with: b, share: 1).tensors[name]?.values == second)
            #expect(a.blended(with: b, share: 0).tensors[name]?.values == first)
        }
    }

    @Test(arguments: configurations) func initialisationDependsOnTheSeedAlone(configuration: NetworkConfiguration) {
        let network = configuration.makeNetwork()
        let weights = Weights(initialising: network, seed: 3)
        let again = Weights(initialising: configuration.makeNetwork(), seed: 3)
        let other = Weights(initialising: network, seed: 4)
        for parameter in network.parameters {
            let values = weights.tensors[parameter.name]?.values
            #expect(values == again.tensors[parameter.name]?.values)
            switch parameter.initialisation {
            case .uniform, .normal: #expect(values != other.tensors[parameter.name]?.values)
            case .constant, .centreMask: break
            }
        }
        #expect(weights.count == network.parameters.reduce(0) { $0 + ($1.isKept ? $1.count : 0) })
    }

    /// Of a few hundred uniform values the largest lies within a tenth of the bound, and their mean near 0. Of as many
    /// normal values, five deviations of the mean and of the variance (√(2/n)) are exceeded once in a million.
    @Test(arguments: configurations) func convolutionsStartWithinTheirFanIn(configuration: NetworkConfiguration) throws
    {
        let network = configuration.makeNetwork()
        let weights = Weights(initialising: network, seed: 5)
        for parameter in network.parameters where parameter.isKept {
            let values = try #require(weights.tensors[parameter.name]).values
            switch parameter.initialisation {
            case .constant(let value):
                #expect(values.allSatisfy { $0 == value })
            case .uniform(let fanIn):
                let bound = 1 / Float(fanIn).squareRoot()
                let largest = values.map(abs).max() ?? 0
                #expect(largest <= bound, "\(parameter.name)")
                if parameter.name.hasSuffix("weight") {
                    #expect(fanIn == parameter.shape[1...].reduce(1, *), "\(parameter.name)")
                }
                guard values.count > 200 else { continue }
                #expect(largest > 0.9 * bound, "\(parameter.name)")
                let mean = values.reduce(0, +) / Float(values.count)
                #expect(abs(mean) < 5 * bound / (3 * Float(values.count)).squareRoot(), "\(parameter.name)")
            case .normal(let deviation):
                guard values.count > 200 else { continue }
                let count = Float(values.count)
                let mean = values.reduce(0, +) / count
                let variance = values.reduce(0) { $0 + $1 * $1 } / count
                #expect(abs(mean) < 5 * deviation / count.squareRoot(), "\(parameter.name)")
                #expect(abs(variance / (deviation * deviation) - 1) < 5 * (2 / count).squareRoot(), "\(parameter.name)")
            case .centreMask:
                Issue.record("\(parameter.name) is no weight")
            }
        }
    }

    /// Deviations from spec B.3, G.3 and B.5, written out.
    @Test(arguments: [
        (NetworkConfiguration.unet(.init(width: 8, head: 6)), "enc_conv1.weight", 0.1 * (2 / 72.0).squareRoot()),
        (.unet(.init(width: 8, head: 6)), "up4.deconv.weight", 0.1 * (2 / 64.0).squareRoot()),
        (.unet(.init(width: 8, head: 6)), "nin_c.weight", 0.1 * (2 / 6.0).squareRoot()),
        (.student(.init(width: 8, decoder: 6)), "enc2.conv.weight", (2 / (1.01 * 72)).squareRoot()),
        (.deamnet(.init(width: 8, reduced: 2)), "line11.weight.conv_du.0.conv2d.weight", (2 / 90.0).squareRoot()),
        (.deamnet(.init(width: 8, reduced: 2)), "net2.e0.body.2.block.0.weight", (2 / 144.0).squareRoot()),
    ]) func normalWeightsHaveTheDeviationOfTheirNetwork(
        configuration: NetworkConfiguration, name: String, deviation: Double
    ) throws {
        let parameter = try #require(configuration.makeNetwork().parameters.first { $0.name == name })
        guard case .normal(let actual) = parameter.initialisation else {
            Issue.record("\(name) starts with \(parameter.initialisation)")
            return
        }
        #expect(abs(Double(actual) - deviation) < 1e-6)
    }

    @Test(arguments: [Float.nan, .infinity]) func weightsThatAreNotFiniteAreRefusedByName(value: Float) {
        let network = Self.configurations[1].makeNetwork()
        var tensors = Weights(initialising: network, seed: 6).tensors
        tensors["intro.weight"]?.withMutablePointer { $0[100] = value }
        #expect(throws: CheckpointError.mismatch(["tensor intro.weight holds values that are not finite"])) {
            try Weights(tensors, for: network)
        }
    }

    @Test func masksAreCheckedAndNotKept() throws {
        let network = Self.configurations[6].makeNetwork()
        var tensors = Weights(initialising: network, seed: 7).tensors
        let name = "branch2.body.0.mask"
        #expect(tensors[name] == nil)
        let ones = (0..<900).map { $0 % 25 == 12 ? 0 : 1 } as [Float]
        tensors[name] = Tensor([6, 6, 5, 5], ones)
        #expect(try Weights(tensors, for: network).tensors[name] == nil)
        tensors[name]?.withMutablePointer { $0[12] = 1 }
        #expect(throws: CheckpointError.mismatch(["tensor \(name) is not what the network defines"])) {
            try Weights(tensors, for: network)
        }
    }

    @Test func countersMayBeMissingOrAnything() throws {
        let network = Self.configurations[5].makeNetwork()
        var tensors = Weights(initialising: network, seed: 8).tensors
        _ = try Weights(tensors, for: network)
        tensors["model.3.num_batches_tracked"] = Tensor([], [12345])
        #expect(try Weights(tensors, for: network).tensors["model.3.num_batches_tracked"] == nil)
        tensors["model.3.running_mean"] = nil
        #expect(throws: CheckpointError.mismatch(["missing tensor model.3.running_mean"])) {
            try Weights(tensors, for: network)
        }
    }

    @Test func tensorsThatNoPassReadsAreKept() throws {
        let network = Self.configurations[8].makeNetwork()
        let weights = Weights(initialising: network, seed: 9)
        let idle = network.parameters.filter { $0.role == .idle }.map(\.name)
        #expect(idle.count == 8)
        let read = try Weights(weights.tensors, for: network)
        #expect(idle.allSatisfy { read.tensors[$0]?.values == weights.tensors[$0]?.values })
    }

    @Test func aLongListOfFaultsIsCutToOneLine() {
        let network = Self.configurations[0].makeNetwork()
        let error = #expect(throws: CheckpointError.self) { try Weights([:], for: network) }
        #expect(error?.description.contains(" and \(network.parameters.count - 5) more") == true)
        #expect(error?.description.contains("\n") == false)
    }
}

@Suite struct ConfigurationTests {
    @Test(arguments: Array(NetworkConfiguration.named.values) + WeightsTests.configurations)
    func aRoundTripThroughJSONKeepsTheNetwork(configuration: NetworkConfiguration) throws {
        let read = try JSONDecoder().decode(NetworkConfiguration.self, from: JSONEncoder().encode(configuration))
        #expect(read == configuration)
        #expect(read.makeNetwork().parameters == configuration.makeNetwork().parameters)
    }

    /// Model files come from anywhere: what cannot be built is refused before a network is made of it.
    @Test(arguments: [
        #"{"nafnet":{"_0":{"width":8,"encoder":[1,1],"middle":1,"decoder":[1]}}}"#,
        #"{"nafnet":{"_0":{"width":8,"encoder":[1,-1],"middle":1,"decoder":[1,1]}}}"#,
        #"{"nafnet":{"_0":{"width":8,"encoder":[1],"middle":-1,"decoder":[1]}}}"#,
        #"{"nafnet":{"_0":{"width":7,"encoder":[1],"middle":1,"decoder":[1]}}}"#,
        #"{"nafnet":{"_0":{"width":0,"encoder":[1],"middle":1,"decoder":[1]}}}"#,
        #"{"nafnet":{"_0":{"width":-8,"encoder":[1],"middle":1,"decoder":[1]}}}"#,
        #"{"nafnet":{"_0":{"width":4611686018427387904,"encoder":[1],"middle":1,"decoder":[1]}}}"#,
        #"{"nafnet":{"_0":{"width":8,"encoder":[1000000000],"middle":1,"decoder":[1]}}}"#,
        #"{"nafnet":{"_0":{"width":8,"encoder":[0,0,0,0,0,0,0,0,0],"middle":1,"decoder":[0,0,0,0,0,0,0,0,0]}}}"#,
        #"{"nafnetSimpleGate":{"_0":{"width":8,"encoder":[1],"middle":1,"decoder":[1],"depthwise":0,"feed":2}}}"#,
        #"{"nafnetSimpleGate":{"_0":{"width":8,"encoder":[1],"middle":1,"decoder":[],"depthwise":2,"feed":2}}}"#,
        #"{"nafnetSimpleGate":{"_0":{"width":7,"encoder":[1],"middle":1,"decoder":[1],"depthwise":1,"feed":2}}}"#,
        #"{"unet":{"_0":{"width":0,"head":8}}}"#, #"{"unet":{"_0":{"width":8,"head":4611686018427387904}}}"#,
        #"{"student":{"_0":{"width":-1,"decoder":8}}}"#, #"{"student":{"_0":{"width":8,"decoder":5000}}}"#,
        #"{"dncnn":{"_0":{"width":8,"convolutions":1}}}"#, #"{"dncnn":{"_0":{"width":0,"convolutions":3}}}"#,
        #"{"dbsn":{"_0":{"width":7,"modules":1,"isDilated":true}}}"#,
        #"{"dbsn":{"_0":{"width":8,"modules":-1,"isDilated":true}}}"#, #"{"dbsn":{"_0":{"width":8,"modules":1}}}"#,
        #"{"deamnet":{"_0":{"width":64,"reduced":0}}}"#,
        #"{"restormer":{"_0":{"dim":8,"blocks":[1,1,1],"refinement":1,"heads":[1,2,2,4]}}}"#,
        #"{"restormer":{"_0":{"dim":8,"blocks":[1,1,1,1],"refinement":1,"heads":[1,2,2]}}}"#,
        #"{"restormer":{"_0":{"dim":8,"blocks":[1,1,1,1],"refinement":1,"heads":[3,2,2,4]}}}"#,
        #"{"restormer":{"_0":{"dim":8,"blocks":[1,1,1,1],"refinement":1,"heads":[0,2,2,4]}}}"#,
        #"{"restormer":{"_0":{"dim":7,"blocks":[1,1,1,1],"refinement":1,"heads":[1,1,1,1]}}}"#,
        #"{"restormer":{"_0":{"dim":9007199254740992,"blocks":[1,1,1,1],"refinement":1,"heads":[1,1,1,1]}}}"#,
        #"{"restormer":{"_0":{"dim":8,"blocks":[1,1,1,-1],"refinement":1,"heads":[1,1,1,1]}}}"#,
        #"{"restormer":{"_0":{"dim":8,"blocks":[1,1,1,1],"refinement":-1,"heads":[1,1,1,1]}}}"#,
    ]) func networksThatCannotBeBuiltAreRefused(json: String) {
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(NetworkConfiguration.self, from: Data(json.utf8))
        }
    }
}
