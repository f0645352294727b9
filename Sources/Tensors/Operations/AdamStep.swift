import CKernels

/// The numbers of one AdamW update; see the kernel's comment for the formula.
public struct AdamStep: Sendable {
    let rate, decay, beta1, beta2, epsilon, step, root: Float

    public init(
        rate: Float, decay: Float, beta1: Float, beta2: Float, epsilon: Float, step: Float, root: Float
    ) {
        self.rate = rate
        self.decay = decay
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.step = step
        self.root = root
    }
}

/// Updates a parameter and its two running means in place.
public func adamStep(
    _ value: inout Tensor, _ first: inout Tensor, _ second: inout Tensor, _ gradient: Tensor, _ s: AdamStep
) {
    let count = value.count
    value.withMutablePointer { p in
        first.withMutablePointer { m in
            second.withMutablePointer { v in
                gradient.withPointer { g in
                    kernels.adamw(p, m, v, g, count, s.rate, s.decay, s.beta1, s.beta2, s.epsilon, s.step, s.root)
                }
            }
        }
    }
}

/// sum += tensor.
public func accumulate(_ tensor: Tensor, into sum: inout Tensor) {
    let count = sum.count
    sum.withMutablePointer { sum in tensor.withPointer { kernels.add(sum, $0, sum, count) } }
}
