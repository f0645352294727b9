import ArgumentParser
import DenoiseService
import Denoising
import SystemPackage

extension ModelCommand {
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check a model's hash, its weights, and that it computes what it computed where it was written.")

        @Argument(help: "A model's name or file; default: the one in use.")
        var model: String?

        @Option(help: "State folder.")
        var state: String?

        @Option(help: "SHA-256 that the file must have, as published with it.")
        var sha256: String?

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws {
            // Reading refuses unknown, missing, misshaped and non-finite tensors by name.
            let model = try ModelStore(state: state.map { FilePath($0) }).model(named: model)
            let verification = ModelVerification(of: model)
            let hashMatches = sha256.map { $0.lowercased() == model.hash }
            let isSound = verification.isSound && hashMatches != false
            if json {
                print(object(model, verification, hashMatches, isSound).line)
            } else {
                lines(model, verification, hashMatches).forEach { print($0) }
            }
            guard isSound else {
                throw ModelError(
                    file: model.name, cause: "it is not what was written", remedy: "fetch or make it again")
            }
        }

        private func object(
            _ model: Model, _ verification: ModelVerification, _ hashMatches: Bool?, _ isSound: Bool
        ) -> JSONText {
            func optional(_ value: Bool?) -> JSONText { value.map(JSONText.boolean) ?? .null }
            return .object([
                ("name", .text(model.name)), ("sha256", .text(model.hash)), ("sha256_matches", optional(hashMatches)),
                ("weights_match", optional(verification.weightsMatch)), ("weights_finite", .boolean(true)),
                ("self_test_deviation", .optional(verification.deviation.map(Double.init))),
                ("sound", .boolean(isSound)),
            ])
        }

        private func lines(_ model: Model, _ verification: ModelVerification, _ hashMatches: Bool?) -> [String] {
            func said(_ matches: Bool?, _ unknown: String) -> String {
                matches.map { $0 ? "as recorded" : "NOT AS RECORDED" } ?? unknown
            }
            let selfTest = verification.deviation.map { deviation in
                let verdict = deviation <= ModelVerification.tolerance ? "as recorded" : "NOT AS RECORDED"
                return "\(verdict), largest difference \(deviation)"
            }
            return factLines([
                ("name", model.name), ("sha256", "\(model.hash), \(said(hashMatches, "compare it, or give --sha256"))"),
                ("weights", "finite, all of the network's, \(said(verification.weightsMatch, "no digest recorded"))"),
                ("self-test", selfTest ?? "none recorded"),
            ])
        }
    }
}
