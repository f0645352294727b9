import ArgumentParser
import DenoiseService
import Denoising
import Foundation
import Methods
import Networks
import SystemPackage

extension ModelImport.Variant: ExpressibleByArgument {}
extension HiddenPixels: ExpressibleByArgument {}

extension ModelCommand {
    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a model of a checkpoint that another program saved.",
            usage: "denoised model import <checkpoint> --out <out> [<options>]",
            discussion: """
                Reads torch zip archives (.ckpt, .pth, .pt) and safetensors files. A checkpoint is read as data:
                whatever its pickle asks for, nothing of it is run.

                denoised model import restormer.ckpt --out restormer.safetensors --licence MIT
                """)

        @Argument(help: "The checkpoint.")
        var checkpoint: String

        @Option(help: "Model file to write.")
        var out: String

        @Option(help: "Its architecture; default: recognised from names and shapes.")
        var network: String?

        @Option(help: "What a D-BSN knows of the noise: awgn, heteroscedastic (default) or multivariate.")
        var noiseModel: BayesianDBSN.Noise?

        @Option(
            help:
                "B or P: taught by AMSNet; plain: on pairs; blind-spot; dbsn. Default: P under AMSNet's names, dbsn for D-BSN's, else plain."
        )
        var variant: ModelImport.Variant?

        @Option(
            help:
                "What masked training gave the network in the place of hidden pixels: zero in published weights, neighbours where denoised trained them."
        )
        var hiddenPixels: HiddenPixels = .zero

        @Option(help: "The weights' licence, for the model's metadata.")
        var licence: String?

        @Option(help: "What the weights were trained on, for the model's metadata.")
        var data: String?

        @Flag(help: "Replace the model file if it exists.")
        var replace = false

        @Flag(help: "Print one JSON object.")
        var json = false

        func validate() throws {
            if let network, NetworkConfiguration.named[network] == nil {
                let known = NetworkConfiguration.named.keys.sorted().joined(separator: ", ")
                throw ValidationError("there is no network \(network); use one of: \(known)")
            }
        }

        func run() throws {
            let path = FilePath(out)
            // Before the work; the write itself does not replace either.
            if !replace, FileManager.default.fileExists(atPath: out) {
                throw ModelError(file: out, cause: "it exists", remedy: "choose another name or add --replace")
            }
            let read = try ModelImport(
                contentsOf: FilePath(checkpoint), as: network.flatMap { NetworkConfiguration.named[$0] },
                noise: noiseModel)
            var metadata: [String: String] = [:]
            metadata["licence"] = licence
            metadata["data"] = data
            let variant = variant ?? read.likelyVariant
            try read.write(
                to: path, variant: variant, hiddenPixels: hiddenPixels, metadata: metadata, replacing: replace)
            let model = try Model(contentsOf: path)
            json ? print(object(model, read, variant).line) : lines(model, read, variant).forEach { print($0) }
        }

        private func object(_ model: Model, _ read: ModelImport, _ variant: ModelImport.Variant) -> JSONText {
            .object([
                ("file", .text(out)), ("sha256", .text(model.hash)),
                ("network", .text(model.network.configuration.name)),
                ("configuration", .optional(model.metadata["network"])),
                ("parameters", .integer(Int64(model.network.parameterCount))),
                ("mac_per_pixel", .number(model.network.multiplicationsPerPixel.rounded())),
                ("variant", .text(variant.rawValue)), ("prefix", .text(read.prefix)), ("source", .text(read.source)),
                ("source_sha256", .text(read.sourceHash)),
            ])
        }

        private func lines(_ model: Model, _ read: ModelImport, _ variant: ModelImport.Variant) -> [String] {
            let method: Denoising.Method =
                switch variant {
                case .plain, .blindSpot: .plain
                case .dbsn: .dbsn
                case .masked, .transfer: .amsnet
                }
            let use = "denoise with --method \(method.rawValue)"
            return factLines(
                networkFacts(model.network) + [
                    ("variant", "\(variant.rawValue): \(use)"), ("prefix", read.prefix.isEmpty ? "-" : read.prefix),
                    ("source", "\(read.source), sha256 \(read.sourceHash)"), ("wrote", "\(out), sha256 \(model.hash)"),
                ])
        }
    }
}
