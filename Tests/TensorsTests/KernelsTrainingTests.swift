import CKernels
import Testing

@Suite struct KernelsTrainingTests {
    @Test(arguments: KernelTable.all, oddCounts)
    func adamWMovesParametersAndMoments(table: KernelTable, n: Int) {
        let (lr, decay, beta1, beta2, eps) = (1e-2, 0.1, 0.9, 0.999, 1e-8)
        let p = Guarded(uniform(n, seed: 60)), m = Guarded(uniform(n, seed: 61), offset: 2)
        let v = Guarded(uniform(n, seed: 62, in: 0...1), offset: 5), g = Guarded(uniform(n, seed: 63))
        let (step, root) = (lr / (1 - beta1 * beta1), (1 - beta2 * beta2).squareRoot())
        let (p0, m0, v0, g0) = (p.values.doubles, m.values.doubles, v.values.doubles, g.values.doubles)
        table.kernels.adamw(
            p.start, m.start, v.start, g.start, n, Float(lr), Float(decay), Float(beta1), Float(beta2), Float(eps),
            Float(step), Float(root))
        let m1 = (0..<n).map { beta1 * m0[$0] + (1 - beta1) * g0[$0] }
        let v1 = (0..<n).map { beta2 * v0[$0] + (1 - beta2) * g0[$0] * g0[$0] }
        let p1 = (0..<n).map { p0[$0] * (1 - lr * decay) - step * m1[$0] / (v1[$0].squareRoot() / root + eps) }
        // A few roundings of values below 1; the betas themselves are rounded to 6e-8.
        #expect(deviation(m.values, m1) < 4e-7)
        #expect(deviation(v.values, v1) < 4e-7)
        #expect(deviation(p.values, p1) < 4e-7)
        #expect(p.isIntact() && m.isIntact() && v.isIntact())
    }

    @Test(arguments: KernelTable.all, oddCounts)
    func maskedL1SumsInDoublesAndGivesItsGradient(table: KernelTable, n: Int) {
        var target = uniform(n, seed: 64)
        let output = Guarded(uniform(n, seed: 65)), mask = Guarded((0..<n).map { Float($0 % 5 == 1 ? 0 : 1) })
        target[n / 2] = output.values[n / 2]  // sign(0) = 0
        let gradient = Guarded(count: n)
        let loss = table.kernels.masked_l1(output.start, target, mask.start, 0.125, gradient.start, n)
        let differences = zip(output.values, target).map { $0 - $1 }
        let expected = zip(differences, mask.values).reduce(0) { $0 + Double(abs($1.0) * $1.1) }
        // Differences are rounded as in the oracle; only the doubles' order differs.
        #expect(abs(loss - expected) < 1e-12 * Double(n))
        #expect(
            gradient.values
                == zip(differences, mask.values).map { difference, m in
                    difference > 0 ? 0.125 * m : difference < 0 ? -0.125 * m : 0
                })
        #expect(gradient.isIntact())
        #expect(table.kernels.masked_l1(output.start, target, mask.start, 0.125, nil, n) == loss)
    }
}
