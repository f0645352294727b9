import CKernels

/// The element-wise mean of tensors of one shape, summed in order.
///
/// - Precondition: at least one tensor.
public func mean(_ tensors: [Tensor]) -> Tensor {
    var sum = tensors[0]
    let count = sum.count
    sum.withMutablePointer { sum in
        for tensor in tensors.dropFirst() {
            tensor.withPointer { kernels.add(sum, $0, sum, count) }
        }
        kernels.scale_offset(sum, 1 / Float(tensors.count), 0, sum, count)
    }
    return sum
}

/// 1 − mask.
public func complement(_ mask: Tensor) -> Tensor {
    Tensor(mask.shape) { y in mask.withPointer { kernels.scale_offset($0, -1, 1, y, mask.count) } }
}

/// (1 − share)·a + share·b, element by element.
public func blend(_ a: Tensor, _ b: Tensor, share: Float) -> Tensor {
    precondition(a.shape == b.shape, "cannot blend \(a.shape) and \(b.shape)")
    var result = a
    result.withMutablePointer { y in
        kernels.scale_offset(y, 1 - share, 0, y, a.count)
        b.withPointer { kernels.axpy(share, $0, y, a.count) }
    }
    return result
}
