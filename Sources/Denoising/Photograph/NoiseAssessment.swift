import Imaging

/// What a photograph's noise asks for, decided before it is denoised.
struct NoiseAssessment: Sendable {
    /// Nil where the noise cannot be measured: too small, or clipped everywhere.
    let measurement: NoiseMeasurement?
    private let sample: PlanarImage

    /// Deviation below which noise is not seen, in units of 1/255: less than rounding to 8 bits adds (0.29).
    static let visible = 0.25

    /// - Parameter sample: of the photograph, as `PixelBuffer.noiseSample` has it.
    init(of sample: PlanarImage) {
        measurement = NoiseMeasurement(of: sample)
        self.sample = sample
    }

    /// Whether no channel's noise is measurable, so that denoising could only take detail away.
    var needsNothing: Bool {
        guard let measurement else { return false }
        return ([measurement.luma] + measurement.channels).allSatisfy { $0.deviation < Self.visible }
    }

    /// Of the noisiest channel, in units of 1/255; 0 where nothing could be measured.
    var largestDeviation: Double {
        measurement.map { ([$0.luma] + $0.channels).map(\.deviation).max() ?? 0 } ?? 0
    }

    /// Distance in pixels from which on noise is not correlated; nil where it cannot be measured. Measured when asked for.
    var independentDistance: Int? { NoiseMeasurement.independentDistance(of: sample) }

    /// Stride of pixel downsampling for a network that was taught to expect independent noise: 1 where neighbours share
    /// none of it, else the published 2. Larger strides cost more detail than correlation costs.
    var stride: Int { independentDistance == 1 ? 1 : 2 }

    /// By the names of `DenoisingReport.metrics`.
    var metrics: [String: Double] {
        guard let measurement else { return [:] }
        var metrics = [
            "noise_before": measurement.luma.deviation, "noise_correlation": measurement.luma.correlation(lag: 1),
        ]
        for lag in 2...4 { metrics["noise_correlation_\(lag)"] = measurement.luma.correlation(lag: lag) }
        if measurement.channels.count == 3 {
            for (channel, name) in zip(measurement.channels, ["red", "green", "blue"]) {
                metrics["noise_\(name)"] = channel.deviation
            }
        }
        return metrics
    }
}
