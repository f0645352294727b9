import Tensors

/// How a network's convolutions start (spec B.7).
enum ConvolutionStart {
    /// PyTorch's default: uniform within 1/√fanIn.
    case standard
    /// Kaiming's normal weights for leaky ReLU of slope `slope`, times `scale`; biases 0.
    case kaiming(slope: Float, scale: Float)
    /// Xavier's normal weights; PyTorch's default biases.
    case xavier

    func weight(fanIn: Int, fanOut: Int) -> Initialisation {
        switch self {
        case .standard: .uniform(fanIn: fanIn)
        case .kaiming(let slope, let scale): .kaimingNormal(fanIn: fanIn, slope: slope, scale: scale)
        case .xavier: .xavierNormal(fanIn: fanIn, fanOut: fanOut)
        }
    }

    func bias(fanIn: Int) -> Initialisation {
        if case .kaiming = self { .constant(0) } else { .uniform(fanIn: fanIn) }
    }
}

/// A dense k×k convolution with bias and "same" zero padding; its scope is that of its output's pixels.
struct DenseConvolution: Sendable {
    let weight: Parameter
    let bias: Parameter
    private let stride: Int
    private let dilation: Int
    private let isCentreMasked: Bool

    /// - Parameters:
    ///   - masked: the centre tap is 0 and stays so; checkpoints hold that as the buffer `mask`.
    ///   - role: `idle` for convolutions that checkpoints have and no pass runs.
    init(
        _ scope: ParameterScope, from inputs: Int, to outputs: Int, kernel: Int = 3, stride: Int = 1,
        dilation: Int = 1, masked: Bool = false, start: ConvolutionStart = .standard, role: Parameter.Role = .trained
    ) {
        let taps = kernel * kernel
        let shape = [outputs, inputs, kernel, kernel]
        weight = scope.parameter(
            "weight", shape, start.weight(fanIn: inputs * taps, fanOut: outputs * taps), role: role)
        bias = scope.parameter("bias", [outputs], start.bias(fanIn: inputs * taps), role: role)
        if masked { _ = scope.parameter("mask", shape, .centreMask, role: .constant) }
        self.stride = stride
        self.dilation = dilation
        isCentreMasked = masked
        if role == .trained { scope.count(multiplications: weight.count) }
    }

    /// - Parameter slope: of a leaky ReLU behind it; nil for none.
    func callAsFunction(_ x: Variable, _ pass: Pass, slope: Float? = nil) -> Variable {
        let (weight, bias) = (pass[weight], pass[bias])
        if weight.tensor.shape[2] == 1 {
            let y = pointwise(x, weight: weight, bias: bias)
            return slope.map { leakyRectified(y, slope: $0) } ?? y
        }
        let taps = isCentreMasked ? centreMasked(weight) : weight
        return dilated(x, by: dilation) { convolution($0, weight: taps, bias: bias, stride: stride, slope: slope) }
    }
}

/// A transposed 2×2 convolution of stride 2; its scope is that of its input's pixels.
struct TransposedConvolution: Sendable {
    let weight: Parameter
    let bias: Parameter

    init(_ scope: ParameterScope, from inputs: Int, to outputs: Int, start: ConvolutionStart) {
        // PyTorch takes the fan-in from the second dimension, which here is that of the outputs.
        weight = scope.parameter(
            "weight", [inputs, outputs, 2, 2], start.weight(fanIn: 4 * outputs, fanOut: 4 * inputs))
        bias = scope.parameter("bias", [outputs], start.bias(fanIn: 4 * outputs))
        scope.count(multiplications: weight.count)
    }

    func callAsFunction(_ x: Variable, _ pass: Pass) -> Variable {
        transposedConvolution2x2(x, weight: pass[weight], bias: pass[bias])
    }
}

/// A dense 3×3 convolution and batch normalisation: with the batch's moments in training, with running ones folded into
/// the convolution in inference.
struct NormalisedConvolution: Sendable {
    private let convolution: DenseConvolution
    private let scale: Parameter
    private let offset: Parameter
    private let mean: Parameter
    private let variance: Parameter
    private let epsilon: Float
    /// Share of a batch's moments in the running ones, PyTorch's `momentum`.
    private let momentum: Float

    init(
        _ convolution: DenseConvolution, _ scope: ParameterScope, channels: Int, epsilon: Float, momentum: Float
    ) {
        self.convolution = convolution
        self.epsilon = epsilon
        self.momentum = momentum
        scale = scope.parameter("weight", [channels], .constant(1))
        offset = scope.parameter("bias", [channels], .constant(0))
        mean = scope.parameter("running_mean", [channels], .constant(0), role: .statistic)
        variance = scope.parameter("running_var", [channels], .constant(1), role: .statistic)
        _ = scope.parameter("num_batches_tracked", [], .constant(0), role: .counter)
    }

    /// - Parameter slope: of a leaky ReLU behind it.
    func callAsFunction(_ x: Variable, _ pass: Pass, slope: Float) -> Variable {
        if pass.isTraining {
            let (output, moments) = batchNorm(
                convolution(x, pass), weight: pass[scale], bias: pass[offset], epsilon: epsilon)
            pass.move(mean, towards: moments.mean, share: momentum)
            pass.move(variance, towards: moments.unbiasedVariance, share: momentum)
            return leakyRectified(output, slope: slope)
        }
        let folded = foldingBatchNorm(
            intoWeight: pass[convolution.weight].tensor, bias: pass[convolution.bias].tensor, mean: pass[mean].tensor,
            variance: pass[variance].tensor, scale: pass[scale].tensor, offset: pass[offset].tensor, epsilon: epsilon)
        return convolution3x3(x, weight: Variable(folded.weight), bias: Variable(folded.bias), slope: slope)
    }
}
