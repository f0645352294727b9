import Tensors

/// A 1×1, dense 3×3, depthwise 3×3 or 2×2 stride-2 convolution with PyTorch's names and shapes.
struct Convolution: Sendable {
    enum Kind { case pointwise, dense3x3, depthwise3x3, halving2x2 }

    let kind: Kind
    let weight: Parameter
    let bias: Parameter?

    init(_ scope: ParameterScope, _ kind: Kind, from inputs: Int, to outputs: Int, bias hasBias: Bool) {
        self.kind = kind
        let shape =
            switch kind {
            case .pointwise: [outputs, inputs, 1, 1]
            case .dense3x3: [outputs, inputs, 3, 3]
            case .depthwise3x3: [outputs, 1, 3, 3]
            case .halving2x2: [outputs, inputs, 2, 2]
            }
        let fanIn = shape[1] * shape[2] * shape[3]
        weight = scope.parameter("weight", shape, .uniform(fanIn: fanIn))
        bias = hasBias ? scope.parameter("bias", [outputs], .uniform(fanIn: fanIn)) : nil
        scope.count(multiplications: kind == .halving2x2 ? weight.count / 4 : weight.count)
    }

    func callAsFunction(_ x: Variable, _ pass: Pass) -> Variable {
        let (weight, bias) = (pass[weight], bias.map { pass[$0] })
        switch kind {
        case .pointwise: return Tensors.pointwise(x, weight: weight, bias: bias)
        case .dense3x3: return convolution3x3(x, weight: weight, bias: bias)
        case .depthwise3x3: return Tensors.depthwise3x3(x, weight: weight, bias: bias)
        // Stride equals size, so it is a 1×1 convolution of the 2-unshuffled input: the weights' order is the same.
        case .halving2x2: return Tensors.pointwise(pixelUnshuffle(x, factor: 2), weight: weight, bias: bias)
        }
    }
}

extension ParameterScope {
    func pointwise(_ name: String, from inputs: Int, to outputs: Int, bias: Bool) -> Convolution {
        Convolution(self[name], .pointwise, from: inputs, to: outputs, bias: bias)
    }

    func dense3x3(_ name: String, from inputs: Int, to outputs: Int, bias: Bool) -> Convolution {
        Convolution(self[name], .dense3x3, from: inputs, to: outputs, bias: bias)
    }

    func depthwise3x3(_ name: String, channels: Int, bias: Bool) -> Convolution {
        Convolution(self[name], .depthwise3x3, from: channels, to: channels, bias: bias)
    }
}
