import Crypto
import Foundation

/// A camera that has captures and perhaps a model of its own, by the name in its photographs.
///
/// The name is reduced to what is safe in a file's name: "Canon EOS 5D" and "canon eos-5d" are both `canoneos5d`. What
/// is reduced once stays as it is.
public struct Camera: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// 1 to 48 lowercase letters and digits.
    public let name: String

    private static let longest = 48
    private static let digits = 8

    /// - Parameter text: as photographs say it, make and model.
    /// - Returns: nil for a camera without a name.
    public init?(_ text: String?) {
        let separators = CharacterSet.whitespacesAndNewlines.union(.controlCharacters).union(.init(charactersIn: "-_"))
        let said = (text ?? "").precomposedStringWithCanonicalMapping.lowercased().unicodeScalars
            .filter { !separators.contains($0) }
        guard !said.isEmpty else { return nil }
        let plain = said.filter { ("a"..."z").contains($0) || ("0"..."9").contains($0) }
        guard plain.count < said.count || plain.count > Self.longest else {
            name = String(String.UnicodeScalarView(plain))
            return
        }
        // Something is left out that may be all that tells two cameras apart: "Galaxy S8" and "Galaxy S8+".
        let digest = SHA256.hash(data: Data(String(String.UnicodeScalarView(said)).utf8)).hexadecimal
        name = String(String.UnicodeScalarView(plain.prefix(Self.longest - Self.digits))) + digest.prefix(Self.digits)
    }

    public var description: String { name }

    public static func < (one: Camera, other: Camera) -> Bool { one.name < other.name }
}

extension Camera? {
    /// The name of a file that there is once for each camera, and once for all: `base-camera`, or `base`.
    func fileName(_ base: String) -> String { map { "\(base)-\($0)" } ?? base }
}
