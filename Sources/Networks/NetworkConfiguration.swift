/// A network's name and widths: enough to build it again.
public enum NetworkConfiguration: Sendable, Equatable, Codable {
    case restormer(Restormer.Configuration)
    case nafnet(NAFNetBase.Configuration)
    case nafnetSimpleGate(NAFNet.Configuration)
    case unet(UNet.Configuration)
    case student(StudentUNet.Configuration)
    case dncnn(DnCNN.Configuration)
    case dbsn(DBSN.Configuration)
    case deamnet(DeamNet.Configuration)
    case zsn2n(ZSN2N.Configuration)
    case bayesianDBSN(BayesianDBSN.Configuration)
    case mwcnn(MWCNN.Configuration)

    /// The architecture's name in model files and commands.
    public var name: String {
        switch self {
        case .restormer: "restormer"
        case .nafnet: "nafnet"
        case .nafnetSimpleGate: "nafnet-simplegate"
        case .unet: "unet"
        case .student: "student"
        case .dncnn: "dncnn"
        case .dbsn(let configuration): configuration.isDilated ? "d-a" : "d-as"
        case .deamnet: "deamnet"
        case .zsn2n: "zsn2n"
        case .bayesianDBSN: "dbsn"
        case .mwcnn: "mwcnn"
        }
    }

    public func makeNetwork() -> any Network {
        switch self {
        case .restormer(let configuration): Restormer(configuration)
        case .nafnet(let configuration): NAFNetBase(configuration)
        case .nafnetSimpleGate(let configuration): NAFNet(configuration)
        case .unet(let configuration): UNet(configuration)
        case .student(let configuration): StudentUNet(configuration)
        case .dncnn(let configuration): DnCNN(configuration)
        case .dbsn(let configuration): DBSN(configuration)
        case .deamnet(let configuration): DeamNet(configuration)
        case .zsn2n(let configuration): ZSN2N(configuration)
        case .bayesianDBSN(let configuration): BayesianDBSN(configuration)
        case .mwcnn(let configuration): MWCNN(configuration)
        }
    }

    /// D-BSN's for another kind of noise.
    ///
    /// - Throws: `CheckpointError.unknownNetwork` for networks that know nothing of noise.
    func knowing(_ noise: BayesianDBSN.Noise) throws(CheckpointError) -> NetworkConfiguration {
        guard case .bayesianDBSN(let known) = self else {
            throw .unknownNetwork("\(name), which knows nothing of noise: leave out the kind of noise")
        }
        return .bayesianDBSN(
            BayesianDBSN.Configuration(
                channels: known.channels, width: known.width, blocks: known.blocks, noise: noise))
    }

    /// Presets by the name that commands take: published sizes, and `compact` ones of 20 to 50 kMAC per pixel.
    public static let named: [String: NetworkConfiguration] = [
        "restormer": .restormer(.published),
        "nafnet": .nafnet(.published),
        "nafnet-compact": .nafnet(.compact),
        "nafnet-simplegate": .nafnetSimpleGate(.published),
        "nafnet-sidd-32": .nafnetSimpleGate(.sidd32),
        "nafnet-sidd-64": .nafnetSimpleGate(.sidd64),
        "unet": .unet(.published),
        "student": .student(.published),
        "student-half": .student(.half),
        "dncnn": .dncnn(.published),
        "d-a": .dbsn(.published),
        "d-as": .dbsn(.publishedLeaking),
        "deamnet": .deamnet(.published),
        "zsn2n": .zsn2n(.colour),
        "dbsn": .bayesianDBSN(.published(.heteroscedastic)),
        "mwcnn": .mwcnn(.published),
        "mwcnn-compact": .mwcnn(.compact),
        "dbsn-compact": .bayesianDBSN(.compact(.heteroscedastic)),
        "restormer-compact": .restormer(.init(dim: 8, blocks: [1, 1, 1, 1], refinement: 1, heads: [1, 2, 2, 4])),
        "unet-compact": .unet(.compact),
        "dncnn-compact": .dncnn(.compact),
        "d-a-compact": .dbsn(.compact),
        "d-as-compact": .dbsn(.compactLeaking),
        "deamnet-compact": .deamnet(.compact),
    ]

    /// The presets' names in order, for help texts and errors.
    public static let names = named.keys.sorted().joined(separator: ", ")
}
