import Foundation
import Imaging

/// How close a denoised photograph is to a clean one, as the published tables measure it (spec A.10).
///
/// Both images are brought to 8 bits first: clamped to [0, 1], times 255, rounded half to even. No border is left out.
public enum QualityMetrics {
    /// Peak signal-to-noise ratio in dB of all channels together: 20·log10(255/√MSE); infinite for equal images.
    ///
    /// - Throws: `QualityError.sizesDiffer`.
    public static func psnr(_ image: PlanarImage, _ reference: PlanarImage) throws(QualityError) -> Double {
        try requireSameSize(image, reference)
        var sum = 0.0
        for (a, b) in zip(image.samples, reference.samples) {
            let difference = eightBit(a) - eightBit(b)
            sum += Double(difference * difference)
        }
        return 10 * log10(255 * 255 * Double(image.samples.count) / sum)
    }

    /// Structural similarity, mean over the channels: Gaussian window 11×11 with σ 1.5, C1 = (0.01·255)²,
    /// C2 = (0.03·255)², population moments, only where the window lies inside the image.
    ///
    /// - Throws: `QualityError` if the sizes differ or a side is below 11.
    public static func ssim(_ image: PlanarImage, _ reference: PlanarImage) throws(QualityError) -> Double {
        try requireSameSize(image, reference)
        guard image.width >= window.count, image.height >= window.count else {
            throw .tooSmall(width: image.width, height: image.height)
        }
        let plane = image.width * image.height
        var sum = 0.0
        for channel in 0..<image.channels {
            let samples = channel * plane..<(channel + 1) * plane
            sum += ssim(
                image.samples[samples].map { Double(eightBit($0)) },
                reference.samples[samples].map { Double(eightBit($0)) }, width: image.width, height: image.height)
        }
        return sum / Double(image.channels)
    }

    /// Clamped and rounded half to even; not a number counts as 0.
    private static func eightBit(_ value: Float) -> Float {
        (max(0, min(1, value.isNaN ? 0 : value)) * 255).rounded(.toNearestOrEven)
    }

    static func requireSameSize(_ image: PlanarImage, _ reference: PlanarImage) throws(QualityError) {
        guard image.width == reference.width, image.height == reference.height, image.channels == reference.channels
        else {
            throw .sizesDiffer(
                "\(image.width)×\(image.height)×\(image.channels)",
                "\(reference.width)×\(reference.height)×\(reference.channels)")
        }
    }

    /// Normalised Gaussian of σ 1.5 at −5…5.
    private static let window: [Double] = {
        let bell = (-5...5).map { exp(-Double($0 * $0) / (2 * 1.5 * 1.5)) }
        return bell.map { $0 / bell.reduce(0, +) }
    }()

    /// One channel. Rows are filtered across once and kept for as long as the window needs them.
    private static func ssim(_ a: [Double], _ b: [Double], width: Int, height: Int) -> Double {
        let taps = window.count
        let columns = width - taps + 1
        // (row modulo taps, moment, column) with the moments E[a], E[b], E[a²], E[b²], E[ab].
        var across = [Double](repeating: 0, count: taps * 5 * columns)
        var moments = [Double](repeating: 0, count: 5 * columns)
        var sum = 0.0
        for row in 0..<height {
            let slot = row % taps * 5 * columns
            for column in 0..<columns {
                var (ma, mb, maa, mbb, mab) = (0.0, 0.0, 0.0, 0.0, 0.0)
                for tap in 0..<taps {
                    let (x, y, weight) = (a[row * width + column + tap], b[row * width + column + tap], window[tap])
                    ma += weight * x
                    mb += weight * y
                    maa += weight * x * x
                    mbb += weight * y * y
                    mab += weight * x * y
                }
                across[slot + column] = ma
                across[slot + columns + column] = mb
                across[slot + 2 * columns + column] = maa
                across[slot + 3 * columns + column] = mbb
                across[slot + 4 * columns + column] = mab
            }
            guard row >= taps - 1 else { continue }
            for index in moments.indices { moments[index] = 0 }
            for tap in 0..<taps {
                let (start, weight) = ((row - taps + 1 + tap) % taps * 5 * columns, window[tap])
                for index in moments.indices { moments[index] += weight * across[start + index] }
            }
            for column in 0..<columns {
                sum += similarity(
                    moments[column], moments[columns + column], moments[2 * columns + column],
                    moments[3 * columns + column], moments[4 * columns + column])
            }
        }
        return sum / Double(columns * (height - taps + 1))
    }

    private static func similarity(_ a: Double, _ b: Double, _ aa: Double, _ bb: Double, _ ab: Double) -> Double {
        let (c1, c2) = (0.01 * 255 * 0.01 * 255, 0.03 * 255 * 0.03 * 255)
        let luminance = (2 * a * b + c1) / (a * a + b * b + c1)
        return luminance * (2 * (ab - a * b) + c2) / (aa - a * a + bb - b * b + c2)
    }
}

/// Why two images cannot be compared.
public enum QualityError: Error, Equatable, CustomStringConvertible {
    /// Width × height × channels of both.
    case sizesDiffer(String, String)
    case tooSmall(width: Int, height: Int)

    public var description: String {
        switch self {
        case .sizesDiffer(let image, let reference):
            "an image of \(image) cannot be compared with one of \(reference): "
                + "use the clean image of the same photograph"
        case .tooSmall(let width, let height):
            "an image of \(width)×\(height) is too small for SSIM: use images of at least 11×11 pixels"
        }
    }
}
