import Foundation

extension NetworkConfiguration {
    /// The network that tensors of these names and shapes are the weights of, as far as names and shapes tell.
    ///
    /// - Returns: nil for no network that is known, and for sizes that none can be built from.
    public static func recognised(from shapes: [String: [Int]]) -> NetworkConfiguration? {
        let configuration = restormer(shapes) ?? nafnet(shapes)
        // Reading what a model file would say of it checks every bound.
        guard let configuration, let json = try? JSONEncoder().encode(configuration) else { return nil }
        return try? JSONDecoder().decode(NetworkConfiguration.self, from: json)
    }

    private static func restormer(_ shapes: [String: [Int]]) -> NetworkConfiguration? {
        guard let dim = shapes["patch_embed.proj.weight"]?.first else { return nil }
        let stages = ["encoder_level1", "encoder_level2", "encoder_level3", "latent"]
        return .restormer(
            .init(
                dim: dim, blocks: stages.map { count("\($0).", in: shapes) },
                refinement: count("refinement.", in: shapes),
                heads: stages.map { shapes["\($0).0.attn.temperature"]?.first ?? 1 }))
    }

    private static func nafnet(_ shapes: [String: [Int]]) -> NetworkConfiguration? {
        guard let width = shapes["intro.weight"]?.first, shapes.keys.contains(where: { $0.contains(".se.1.") }) else {
            return nil
        }
        let levels = min(count("downs.", in: shapes), 64)
        return .nafnet(
            .init(
                width: width, encoder: (0..<levels).map { count("encoders.\($0).", in: shapes) },
                middle: count("middle_blks.", in: shapes),
                decoder: (0..<levels).map { count("decoders.\($0).", in: shapes) }))
    }

    /// One more than the largest number that follows `prefix`.
    private static func count(_ prefix: String, in shapes: [String: [Int]]) -> Int {
        shapes.keys.filter { $0.hasPrefix(prefix) }
            .compactMap { Int($0.dropFirst(prefix.count).prefix { $0 != "." }) }
            .filter { (0..<1 << 20).contains($0) }.reduce(0) { max($0, $1 + 1) }
    }
}
