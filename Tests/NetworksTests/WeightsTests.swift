import Foundation
import Networks
import Tensors
import Testing

@Suite struct WeightsTests {
    static let configurations: [NetworkConfiguration] = [
        .restormer(.init(dim: 8, blocks: [1, 1, 1, 1], refinement: 1, heads: [1, 2, 2, 4])),
        .nafnet(.init(width: 8, encoder: [1, 1], middle: 1, decoder: [1, 1])),
    ]

    @Test(arguments: configurations) func initialisationDependsOnTheSeedAlone(configuration: NetworkConfiguration) {
        let network = configuration.makeNetwork()
        let weights = Weights(initialising: network, seed: 3)
        let again = Weights(initialising: configuration.makeNetwork(), seed: 3)
        let other = Weights(initialising: network, seed: 4)
        for parameter in network.parameters {
            let values = weights.tensors[parameter.name]?.values
            #expect(values == again.tensors[parameter.name]?.values)
            if case .uniform = parameter.initialisation { #expect(values != other.tensors[parameter.name]?.values) }
        }
        #expect(weights.count == network.parameterCount)
    }

    /// Of a few hundred uniform values the largest lies within a tenth of the bound, and their mean near 0.
    @Test(arguments: configurations) func convolutionsStartWithinTheirFanIn(configuration: NetworkConfiguration) throws
    {
        let network = configuration.makeNetwork()
        let weights = Weights(initialising: network, seed: 5)
        for parameter in network.parameters {
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
            }
        }
    }

    @Test(arguments: [Float.nan, .infinity]) func weightsThatAreNotFiniteAreRefusedByName(value: Float) {
        let network = Self.configurations[1].makeNetwork()
        var tensors = Weights(initialising: network, seed: 6).tensors
        tensors["intro.weight"]?.withMutablePointer { $0[100] = value }
        #expect(throws: CheckpointError.mismatch(["tensor intro.weight holds values that are not finite"])) {
            try Weights(tensors, for: network)
        }
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
