import Foundation

/// From linear light to display values and back: the sRGB curve followed by a camera's contrast curve.
///
/// The contrast curve blends v with 3v² − 2v³; both steps are increasing, so the inverse is exact up to the table's
/// resolution. Tables are indexed by the square root of linear light, where the sRGB curve is nearly straight.
struct ToneCurve: Sendable {
    private static let steps = 1024
    private let rendered: [Float]
    private let linear: [Float]

    /// - Parameter contrast: 0 is plain sRGB; at most 1.
    init(contrast: Float) {
        let steps = Self.steps
        func contrasted(_ value: Float) -> Float {
            value + contrast * (value * value * (3 - 2 * value) - value)
        }
        let rendered = (0...steps).map { step -> Float in
            let root = Float(step) / Float(steps)
            let light = root * root
            return contrasted(light <= 0.003_130_8 ? 12.92 * light : 1.055 * pow(light, 1 / 2.4) - 0.055)
        }
        self.rendered = rendered
        var segment = 0
        linear = (0...steps).map { step in
            let value = Float(step) / Float(steps)
            while segment < steps - 1 && rendered[segment + 1] < value { segment += 1 }
            let low = rendered[segment]
            let root = (Float(segment) + (value - low) / (rendered[segment + 1] - low)) / Float(steps)
            return root * root
        }
    }

    /// Display value of linear light; 0 below black, 1 above white.
    func render(_ light: Float) -> Float {
        guard light > 0 else { return 0 }
        let position = min(light.squareRoot(), 1) * Float(Self.steps)
        let step = min(Int(position), Self.steps - 1)
        return rendered[step] + (position - Float(step)) * (rendered[step + 1] - rendered[step])
    }

    /// Linear light of a display value in [0, 1].
    func linearise(_ value: Float) -> Float {
        let position = min(max(value, 0), 1) * Float(Self.steps)
        let step = min(Int(position), Self.steps - 1)
        return linear[step] + (position - Float(step)) * (linear[step + 1] - linear[step])
    }
}
