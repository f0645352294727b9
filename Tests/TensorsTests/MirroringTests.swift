import Tensors
import Testing

@Suite struct MirroringTests {
    @Test(arguments: 0..<8, [(1, 1), (2, 3), (5, 4)])
    func mirroringsMoveEveryPixelAndBack(index: Int, size: (Int, Int)) {
        let (height, width) = size
        let x = Tensor([2, 3, height, width], (0..<6 * height * width).map { Float($0) })
        let y = x.mirrored(Mirroring(index))
        let input = Reference(x)
        let expected = Reference.values(x.shape) { channel, image, row, column in
            input[
                channel, image, index & 2 == 0 ? row : height - 1 - row, index & 1 == 0 ? column : width - 1 - column]
        }
        #expect(y.values.doubles == expected)
        #expect(y.mirrored(Mirroring(index)).values == x.values)
    }

    @Test func fourInARowDiffer() {
        #expect(Set((0..<4).map { Mirroring($0) }).count == 4)
        #expect(Mirroring(4) == Mirroring(0))
    }
}
