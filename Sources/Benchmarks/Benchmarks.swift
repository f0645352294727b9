import CKernels
import Foundation
import Tensors

/// The laboratory of the engine: what its kernels reach on the shapes of real networks, on one thread.
///
///     swift run -c release Benchmarks [products | convolutions | blocks]
///
/// Figures are GFLOP/s of the fastest of several rounds; those of convolutions count the products of the direct form.
@main
struct Benchmarks {
    static func main() {
        let wanted = CommandLine.arguments.dropFirst()
        print("kernels: \(arithmeticName)")
        if wanted.isEmpty || wanted.contains("products") { products() }
        if wanted.isEmpty || wanted.contains("convolutions") { convolutions() }
        if wanted.isEmpty || wanted.contains("blocks") { blocks() }
    }

    /// 1×1 convolutions of Restormer, NAFNetBase and the shipped model beside OpenBLAS in bands of 2048 pixels.
    static func products() {
        guard dn_blas_load(1) else { return print("products: OpenBLAS is not installed") }
        let shapes = [
            (72, 24, 65536), (144, 48, 16384), (254, 48, 16384), (96, 96, 16384), (510, 96, 16384), (96, 255, 16384),
            (1020, 192, 4096), (192, 510, 4096), (2042, 384, 1024), (384, 1021, 1024), (512, 512, 256),
            (1024, 512, 256),
        ]
        print("outputs × inputs × pixels: packed kernel, OpenBLAS, weight gradient")
        for (outputs, inputs, pixels) in shapes {
            let (x, w) = (ramp([inputs, 1, 1, pixels]), ramp([outputs, inputs, 1, 1]))
            let flops = 2 * Double(outputs * inputs * pixels)
            let own = fastest { _ = pointwise(Variable(x), weight: Variable(w)) }
            let blas = fastest { _ = openBLAS(w, x) }
            let gradient = fastest {
                let tape = Tape()
                let y = pointwise(Variable(x), weight: tape.variable(w))
                _ = tape.backward(from: y, seed: y.tensor)
            }
            print(
                String(
                    format: "%5d × %4d × %5d: %6.1f %6.1f %6.1f", outputs, inputs, pixels, flops / own / 1e9,
                    flops / blas / 1e9, flops / max(gradient - own, 1e-9) / 1e9))
        }
    }

    /// Dense 3×3 convolutions of UNet, DnCNN and the resampling steps of Restormer.
    static func convolutions() {
        let shapes = [
            (3, 64, 256, 1), (64, 64, 256, 1), (128, 128, 256, 1), (256, 256, 128, 1), (64, 64, 32, 50),
            (48, 48, 136, 1), (48, 24, 256, 1), (96, 3, 256, 1),
        ]
        print("inputs → outputs, side, images: Winograd, weight gradient")
        for (inputs, outputs, side, images) in shapes {
            let (x, w) = (ramp([inputs, images, side, side]), ramp([outputs, inputs, 3, 3]))
            let own = fastest { _ = convolution3x3(Variable(x), weight: Variable(w)) }
            let gradient = fastest {
                let tape = Tape()
                let y = convolution3x3(Variable(x), weight: tape.variable(w))
                _ = tape.backward(from: y, seed: y.tensor)
            }
            let products = 18e-9 * Double(inputs * outputs * images * side * side)
            print(
                String(
                    format: "%4d → %4d, %4d², %3d: %6.1f %6.1f", inputs, outputs, side, images, products / own,
                    products / max(gradient - own, 1e-9)))
        }
    }

    /// Restormer's feed-forward block in bands beside its single operations.
    static func blocks() {
        print("channels, side: block in bands, single operations")
        for (channels, side) in [(48, 256), (96, 256), (96, 128), (192, 64), (384, 32)] {
            let hidden = Int(2.66 * Double(channels))
            let x = Variable(ramp([channels, 1, side, side]))
            let weights = GatedFeedForwardWeights(
                norm: Variable(ramp([channels])), expand: Variable(ramp([2 * hidden, channels, 1, 1])),
                depthwise: Variable(ramp([2 * hidden, 1, 3, 3])), contract: Variable(ramp([channels, hidden, 1, 1])))
            let banded = fastest { _ = gatedFeedForward(x, weights) }
            let single = fastest {
                let wide = pointwise(biasFreeNorm(x, weight: weights.norm), weight: weights.expand)
                let gate = geluGate(depthwise3x3(wide, weight: weights.depthwise))
                _ = add(x, pointwise(gate, weight: weights.contract))
            }
            let flops = 2 * Double((3 * hidden * channels + 18 * hidden) * side * side)
            print(String(format: "%4d, %4d²: %6.1f %6.1f", channels, side, flops / banded / 1e9, flops / single / 1e9))
        }
    }

    private static func ramp(_ shape: [Int]) -> Tensor {
        Tensor(shape, (0..<shape.reduce(1, *)).map { Float($0 * 7919 % 101) / 101 - 0.5 })
    }

    private static func openBLAS(_ w: Tensor, _ x: Tensor) -> Tensor {
        let (outputs, inputs, pixels) = (w.shape[0], w.shape[1], x.pixels)
        return Tensor([outputs, 1, 1, pixels]) { y in
            w.withPointer { w in
                x.withPointer { x in
                    for start in stride(from: 0, to: pixels, by: 2048) {
                        let count = min(2048, pixels - start)
                        dn_sgemm(
                            false, false, outputs, count, inputs, 1, w, inputs, x + start, pixels, 0, y + start, pixels)
                    }
                }
            }
        }
    }

    private static func fastest(_ body: () -> Void) -> Double {
        (0..<7).map { _ in
            let start = ContinuousClock.now
            body()
            return (ContinuousClock.now - start) / .seconds(1)
        }.min() ?? 0
    }
}
