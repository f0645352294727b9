import Foundation

extension NetworkConfiguration {
    /// The network that tensors of these names and shapes belong to, with its widths, depths and heads.
    ///
    /// Only the tensors that tell networks and sizes apart are looked at; loading then names every one that does not
    /// fit. D_A and D_AS have the same tensors, so both are found as D_A.
    ///
    /// - Parameter shapes: by published name, without prefixes such as `module.`.
    /// - Returns: nil for tensors of another network, and for sizes that model files are refused for.
    public static func recognised(from shapes: [String: [Int]]) -> NetworkConfiguration? {
        let names = TensorNames(shapes)
        let found =
            restormer(names) ?? nafnet(names) ?? unet(names) ?? student(names) ?? dncnn(names) ?? dbsn(names)
            ?? deamnet(names) ?? zsn2n(names) ?? bayesianDBSN(names) ?? mwcnn(names)
        // Shapes come from anywhere: the bounds of model files hold for them too.
        return found.flatMap { try? JSONDecoder().decode(Self.self, from: JSONEncoder().encode($0)) }
    }

    private static func restormer(_ names: TensorNames) -> NetworkConfiguration? {
        guard let dim = names.size("patch_embed.proj.weight") else { return nil }
        let stages = ["encoder_level1", "encoder_level2", "encoder_level3", "latent"]
        return .restormer(
            Restormer.Configuration(
                dim: dim, blocks: stages.map { names.count($0) }, refinement: names.count("refinement"),
                heads: stages.map { names.size("\($0).0.attn.temperature") ?? 1 }))
    }

    private static func nafnet(_ names: TensorNames) -> NetworkConfiguration? {
        guard let width = names.size("intro.weight") else { return nil }
        let levels = names.count("downs")
        let encoder = (0..<levels).map { names.count("encoders.\($0)") }
        let decoder = (0..<levels).map { names.count("decoders.\($0)") }
        let middle = names.count("middle_blks")
        // The first block there is, in the order of the forward pass.
        guard let gate = names.all.keys.filter({ $0.hasSuffix(".sca.1.weight") }).min() else {
            return .nafnet(NAFNetBase.Configuration(width: width, encoder: encoder, middle: middle, decoder: decoder))
        }
        let block = gate.dropLast("sca.1.weight".count)
        func expansion(_ convolution: String) -> Int {
            guard let shape = names.all["\(block)\(convolution).weight"], shape.count == 4, shape[1] > 0 else {
                return 0
            }
            return shape[0] / shape[1]
        }
        return .nafnetSimpleGate(
            NAFNet.Configuration(
                width: width, encoder: encoder, middle: middle, decoder: decoder, depthwise: expansion("conv1"),
                feed: expansion("conv4")))
    }

    private static func unet(_ names: TensorNames) -> NetworkConfiguration? {
        guard let width = names.size("enc_conv0.weight"), let head = names.size("nin_a.weight") else { return nil }
        return .unet(UNet.Configuration(width: width, head: head))
    }

    private static func student(_ names: TensorNames) -> NetworkConfiguration? {
        guard let width = names.size("enc1.conv.weight"), let decoder = names.size("dec1_2.conv.weight") else {
            return nil
        }
        // One that works at half resolution sees twelve channels.
        let isHalf = names.all["enc1.conv.weight"]?.dropFirst().first == 12
        return .student(StudentUNet.Configuration(width: width, decoder: decoder, reduction: isHalf ? 2 : nil))
    }

    private static func dncnn(_ names: TensorNames) -> NetworkConfiguration? {
        guard let width = names.size("model.0.weight"), names.all["model.0.weight"]?.count == 4 else { return nil }
        let normalisations = names.all.keys.count { $0.hasPrefix("model.") && $0.hasSuffix(".running_mean") }
        return .dncnn(DnCNN.Configuration(width: width, convolutions: normalisations + 2))
    }

    private static func dbsn(_ names: TensorNames) -> NetworkConfiguration? {
        let first = "branch1.body.0.weight"
        guard let width = names.size(first) else { return nil }
        let modules = names.all.keys.count { $0 != first && $0.hasPrefix("branch1.") && $0.hasSuffix(".body.0.weight") }
        return .dbsn(DBSN.Configuration(width: width, modules: modules, isDilated: true))
    }

    private static func deamnet(_ names: TensorNames) -> NetworkConfiguration? {
        guard let width = names.size("net2.mid.0.block.0.weight"),
            let reduced = names.size("line11.weight.conv_du.0.conv2d.weight")
        else { return nil }
        return .deamnet(DeamNet.Configuration(width: width, reduced: reduced))
    }

    /// Heads of one value for each channel are the same for both other kinds of noise; published weights are known for
    /// noise that depends on brightness.
    private static func bayesianDBSN(_ names: TensorNames) -> NetworkConfiguration? {
        guard let width = names.size("dbsn.dbsn_head.0.weight"), let channels = names.size("dbsn.dbsn_tail.4.weight"),
            let outputs = names.size("sigma_mu.conv.4.weight")
        else { return nil }
        let blocks = names.all.keys.count {
            $0.hasPrefix("dbsn.br1.branch.") && $0.hasSuffix(".inception_br3.0.weight")
        }
        return .bayesianDBSN(
            BayesianDBSN.Configuration(
                channels: channels, width: width, blocks: blocks,
                noise: outputs == 6 ? .multivariate : .heteroscedastic))
    }

    private static func mwcnn(_ names: TensorNames) -> NetworkConfiguration? {
        let widths = (1...8).compactMap { names.size("level\($0)_prev.block.0.weight") }
        // Published networks are grey ones, with four bands in place of twelve.
        guard !widths.isEmpty, names.size("level1_next.block.6.weight") == 12 else { return nil }
        return .mwcnn(MWCNN.Configuration(widths: widths))
    }

    private static func zsn2n(_ names: TensorNames) -> NetworkConfiguration? {
        guard let width = names.size("conv1.weight"), let channels = names.size("conv3.weight"),
            names.size("conv2.weight") == width
        else { return nil }
        return .zsn2n(ZSN2N.Configuration(channels: channels, width: width))
    }
}

/// Questions about a checkpoint's tensors.
private struct TensorNames {
    let all: [String: [Int]]

    init(_ shapes: [String: [Int]]) { all = shapes }

    /// The first dimension of a tensor: a convolution's output channels.
    func size(_ name: String) -> Int? { all[name]?.first }

    /// How many of PREFIX.0, PREFIX.1, … there are from 0 on.
    func count(_ prefix: String) -> Int {
        let path = prefix + "."
        let indices = Set(
            all.keys.lazy.filter { $0.hasPrefix(path) }.compactMap {
                Int($0.dropFirst(path.count).prefix { $0 != "." })
            })
        return (0...).first { !indices.contains($0) } ?? 0
    }
}
