import CKernels

/// How attention across channels mixes one head of one image: A = softmax_row(τ·R) with R the cosines of the angles
/// between q's and k's rows.
///
/// Source: spec B.1 (MDTA) and E.
struct AttentionMap {
    /// A [c, c].
    let mix: Tensor
    /// R [c, c].
    private let cosines: Tensor
    private let temperature: Float
    /// 1/max(‖row‖, 1e-12) of q's and of k's rows, [c] each.
    private let scales: (q: Tensor, k: Tensor)

    /// What rows of zeros count as.
    private static let smallestNorm: Float = 1e-12

    /// - Parameters:
    ///   - gram: q·kᵀ, [c, c].
    ///   - querySquares: ‖row‖² of q's rows.
    ///   - keySquares: the same of k's.
    init(gram: UnsafePointer<Float>, querySquares: [Double], keySquares: [Double], temperature: Float) {
        let c = querySquares.count
        let scales = (q: Self.scales(querySquares), k: Self.scales(keySquares))
        let cosines = Tensor([c, c]) { r in
            withPointers(scales.q, scales.k) { q, k in
                for i in 0..<c {
                    kernels.multiply(gram + i * c, k, r + i * c, c)
                    kernels.scale_offset(r + i * c, q[i], 0, r + i * c, c)
                }
            }
        }
        mix = Tensor([c, c]) { mix in
            cosines.withPointer { r in
                for i in 0..<c { kernels.softmax(r + i * c, temperature, mix + i * c, c) }
            }
        }
        self.cosines = cosines
        self.scales = scales
        self.temperature = temperature
    }

    private static func scales(_ squares: [Double]) -> Tensor {
        Tensor([squares.count], squares.map { 1 / max(Float($0.squareRoot()), smallestNorm) })
    }

    /// What the gradient of A means for q, k and τ.
    struct Slopes {
        /// That of q·kᵀ with the rows' lengths held fixed, [c, c]: dq ∋ gram·k, dk ∋ gramᵀ·q.
        let gram: Tensor
        /// Factors of q's and of k's own rows in dq and dk: the part that the lengths have.
        let own: (q: [Float], k: [Float])
        let temperature: Float
    }

    /// - Parameter dA: the gradient of A, [c, c].
    func slopes(_ dA: Tensor) -> Slopes {
        let c = dA.shape[0]
        let dS = Tensor([c, c]) { dS in
            withPointers(mix, dA) { a, dA in
                for row in stride(from: 0, to: c * c, by: c) {
                    kernels.softmax_backward(a + row, dA + row, dS + row, c)
                }
            }
        }
        let products = Tensor([c, c]) { products in
            withPointers(dS, cosines) { kernels.multiply($0, $1, products, c * c) }
        }
        let rows = Tensor([c]) { sums in
            products.withPointer { for i in 0..<c { sums[i] = kernels.sum($0 + i * c, c) } }
        }
        let columns = Tensor([c]) { sums in
            sums.update(repeating: 0, count: c)
            products.withPointer { for i in 0..<c { kernels.add(sums, $0 + i * c, sums, c) } }
        }
        let (q, k) = (Self.ofRowsWithDirection(scales.q), Self.ofRowsWithDirection(scales.k))
        let gram = Tensor([c, c]) { gram in
            withPointers(dS, q, k) { dS, q, k in
                for i in 0..<c {
                    kernels.multiply(dS + i * c, k, gram + i * c, c)
                    kernels.scale_offset(gram + i * c, temperature * q[i], 0, gram + i * c, c)
                }
            }
        }
        func own(_ sums: Tensor, _ scales: Tensor) -> [Float] {
            zip(sums.values, scales.values).map { -temperature * $0 * $1 * $1 }
        }
        return Slopes(gram: gram, own: (own(rows, q), own(columns, k)), temperature: rows.values.reduce(0, +))
    }

    /// A row of zeros has no direction, hence no gradient (spec E, pitfall 3).
    private static func ofRowsWithDirection(_ scales: Tensor) -> Tensor {
        Tensor(scales.shape, scales.values.map { $0 < 1 / smallestNorm ? $0 : 0 })
    }
}

/// W·blockdiag(A), [C, C], of the maps of all heads.
/// - Parameter project: W, [C, C, 1, 1].
func merged(_ project: Tensor, _ maps: [Tensor]) -> Tensor {
    let channels = project.shape[0]
    let c = channels / maps.count
    return Tensor([channels, channels]) { merged in
        project.withPointer { project in
            for (head, map) in maps.enumerated() {
                map.withPointer {
                    product(
                        MatrixView(project + head * c, row: channels), MatrixView($0, row: c),
                        into: merged + head * c, row: channels, rows: channels, columns: c, depth: c, adding: false)
                }
            }
        }
    }
}

/// The gradient of A of one head, [c, c], where `merged` made W·blockdiag(A); that of W is added to `dW`.
/// - Parameters:
///   - dM: the gradient of what it made, [C, C].
///   - map: A.
func partMerged(_ dM: Tensor, _ project: Tensor, _ map: Tensor, head: Int, into dW: inout Tensor) -> Tensor {
    let (channels, c) = (dM.shape[0], map.shape[0])
    let first = head * c
    return withPointers(dM, project, map) { dM, project, map in
        dW.withMutablePointer {
            product(
                MatrixView(dM + first, row: channels), MatrixView(map, row: c).transposed,
                into: $0 + first, row: channels, rows: channels, columns: c, depth: c, adding: true)
        }
        return Tensor([c, c]) {
            product(
                MatrixView(project + first, row: channels).transposed, MatrixView(dM + first, row: channels),
                into: $0, row: c, rows: c, columns: c, depth: channels, adding: false)
        }
    }
}
