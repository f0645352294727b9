import Foundation

/// The noise that a camera adds to a rendered photograph, before clipping and saving.
///
/// Demosaicing, colour conversion and noise reduction are linear, so they are applied to the noise alone: the clean
/// photograph keeps its detail, as in a camera whose processing follows edges.
struct PhotographNoise {
    let model: NoiseModel
    let width: Int
    let height: Int
    private let tone: ToneCurve

    init(model: NoiseModel, width: Int, height: Int) {
        self.model = model
        self.width = width
        self.height = height
        tone = ToneCurve(contrast: model.contrast)
    }

    /// Luma of red, green and blue planes (BT.601).
    static func luma(_ planes: [Plane]) -> Plane {
        var luma = planes[0]
        for index in luma.samples.indices {
            luma.samples[index] =
                0.299 * planes[0].samples[index] + 0.587 * planes[1].samples[index] + 0.114 * planes[2].samples[index]
        }
        return luma
    }

    /// Rendered noise of red, green and blue on rendered clean planes in [0, 1].
    func residual(of clean: [Plane], using generator: inout SeededGenerator) -> [Plane] {
        let light = clean.map { shrunk($0, map: tone.linearise) }
        var noise = converted(sensorNoise(on: light, using: &generator))
        render(&noise, on: light)
        let luma = Self.luma(noise)
        var differences = [luma, noise[2], noise[0]]
        for index in luma.samples.indices {
            differences[1].samples[index] -= luma.samples[index]
            differences[2].samples[index] -= luma.samples[index]
        }
        let texture = model.ignoresTexture ? nil : texture(of: shrunk(Self.luma(clean)), noise: luma)
        for index in 0..<3 { differences[index] = processed(differences[index], isLuma: index == 0, texture: texture) }
        return Self.recombined(differences)
    }

    /// Luma, blue − luma, red − luma to red, green, blue.
    private static func recombined(_ differences: [Plane]) -> [Plane] {
        var planes = [differences[2], differences[0], differences[1]]
        for index in differences[0].samples.indices {
            let luma = differences[0].samples[index]
            let (blue, red) = (differences[1].samples[index], differences[2].samples[index])
            planes[0].samples[index] = luma + red
            planes[1].samples[index] = luma - (0.299 * red + 0.114 * blue) / 0.587
            planes[2].samples[index] = luma + blue
        }
        return planes
    }

    /// At the sensor's resolution.
    private func shrunk(_ plane: Plane, map: (Float) -> Float = { $0 }) -> Plane {
        guard model.stretch > 1 else {
            return Plane(width: width, height: height, samples: plane.samples.map(map))
        }
        let columns = max(Int((Float(width) / model.stretch).rounded(.up)), 1)
        let rows = max(Int((Float(height) / model.stretch).rounded(.up)), 1)
        var result = Plane(width: columns, height: rows)
        for row in 0..<rows {
            let source = min(Int(Float(row) * model.stretch), height - 1) * width
            for column in 0..<columns {
                let sample = plane.samples[source + min(Int(Float(column) * model.stretch), width - 1)]
                result.samples[row * columns + column] = map(sample)
            }
        }
        return result
    }

    /// Noise of the photosites in camera colours after white balance and demosaicing.
    private func sensorNoise(on light: [Plane], using generator: inout SeededGenerator) -> [Plane] {
        let (columns, rows) = (light[0].width, light[0].height)
        let pattern = BayerPattern(
            redRow: Int(generator.next() & 1), redColumn: Int(generator.next() & 1))
        let offsets = model.rowDeviation > 0 ? generator.normals(rows) : []
        let inverse = Matrix3(model.colourMatrix).inverse
        func photosites(_ channel: (Int, Int) -> Int) -> Plane {
            var mosaic = Plane(width: columns, height: rows, samples: generator.normals(rows * columns))
            for row in 0..<rows {
                let offset = offsets.isEmpty ? 0 : offsets[row] * model.rowDeviation
                for column in 0..<columns {
                    let index = row * columns + column
                    let colour = channel(row, column)
                    let balance = model.whiteBalance[colour]
                    let signal =
                        inverse.row(
                            colour, light[0].samples[index], light[1].samples[index], light[2].samples[index]) / balance
                    let variance = model.shotGain * max(signal, 0) + model.readDeviation * model.readDeviation
                    mosaic.samples[index] = balance * (mosaic.samples[index] * variance.squareRoot() + offset)
                }
            }
            return mosaic
        }
        guard model.demosaicing != .none else { return (0..<3).map { colour in photosites { _, _ in colour } } }
        return model.demosaicing.planes(of: photosites(pattern.channel), pattern: pattern)
    }

    /// Camera colours to linear sRGB.
    private func converted(_ planes: [Plane]) -> [Plane] {
        var result = planes
        let matrix = Matrix3(model.colourMatrix)
        for index in planes[0].samples.indices {
            let (r, g, b) = (planes[0].samples[index], planes[1].samples[index], planes[2].samples[index])
            for row in 0..<3 { result[row].samples[index] = matrix.row(row, r, g, b) }
        }
        return result
    }

    /// Linear noise to rendered noise by the mean slope of the tone curve over one deviation to both sides.
    ///
    /// The slope and not the curve: the noise keeps its mean of zero, so that a denoiser does not learn to darken
    /// shadows.
    private func render(_ noise: inout [Plane], on light: [Plane]) {
        let read = model.readDeviation * model.readDeviation
        for channel in 0..<3 {
            for index in noise[channel].samples.indices {
                let clean = light[channel].samples[index]
                let reach = min((model.shotGain * clean + read).squareRoot(), 0.03) + 0.001
                let slope = (tone.render(clean + reach) - tone.render(clean - reach)) / (2 * reach)
                noise[channel].samples[index] *= slope
            }
        }
    }

    /// Noise reduction by scale, less of it where there is texture; then blur, sharpening and resampling.
    private func processed(_ plane: Plane, isLuma: Bool, texture: Plane?) -> Plane {
        var result = isLuma ? plane.equalised(gains: model.lumaGains) : chroma(plane, adaptivity: 0)
        if let texture {
            let spared = isLuma ? plane : chroma(plane, adaptivity: model.chromaAdaptivity)
            let share = isLuma ? model.adaptivity : 1
            for index in result.samples.indices {
                let reduced = result.samples[index]
                let mixed = reduced + share * texture.samples[index] * (spared.samples[index] - reduced)
                result.samples[index] = mixed * (1 + model.textureGain * texture.samples[index])
            }
        }
        let extra = isLuma ? 0 : model.chromaBlur
        result = result.blurred(
            across: (model.blurAcross * model.blurAcross + extra * extra).squareRoot(),
            down: (model.blurDown * model.blurDown + extra * extra).squareRoot())
        if isLuma && model.sharpening > 0 {
            let soft = result.blurred(across: 1, down: 1)
            for index in result.samples.indices {
                result.samples[index] += model.sharpening * (result.samples[index] - soft.samples[index])
            }
        }
        guard model.stretch > 1 else { return result }
        return result.enlarged(width: width, height: height, step: 1 / model.stretch)
    }

    private func chroma(_ plane: Plane, adaptivity: Float) -> Plane {
        plane.equalised(gains: model.chromaGains.map { model.chromaScale * pow($0, 1 - adaptivity) })
    }

    /// 1 where the photograph changes more than its noise does, 0 where it is flat.
    private func texture(of clean: Plane, noise: Plane) -> Plane {
        let variance = noise.samples.reduce(0) { $0 + $1 * $1 } / Float(noise.samples.count)
        return clean.texture(above: model.textureThreshold * variance + 1e-12)
    }
}
